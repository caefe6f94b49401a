package org.edgeseg.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.edgeseg.core.EngineOptions
import org.edgeseg.core.Files
import org.edgeseg.core.Trusted
import org.edgeseg.core.sha256
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.util.concurrent.Callable
import java.util.concurrent.TimeUnit

/** The app as it is, on a computer whose int8 kernels may need the basic graph. */
open class TestApp : DemoApp() {
    override fun options(options: EngineOptions): EngineOptions = options.copy(reduced = Files.int8Options().reduced)

    /** Ends the work of a test with it: a model that is still being opened when the process ends finds ONNX Runtime's environment closed, and crashes. */
    override fun onTerminate() {
        worker.shutdownNow()
        worker.awaitTermination(30, TimeUnit.SECONDS)
        super.onTerminate()
    }
}

/** The app with a model that was cut short. */
class CutShortApp : TestApp() {
    override fun source() = { file: String ->
        val bytes = assets.open("edgeseg/$file").readBytes()
        (if (file == "model.onnx") bytes.copyOf(bytes.size / 2) else bytes).inputStream()
    }
}

/** The app with another model, which the manifest names as it should. */
abstract class OtherModelApp(private val other: (ByteArray) -> ByteArray) : TestApp() {
    override fun source() = { file: String ->
        val bytes = assets.open("edgeseg/$file").readBytes()
        when (file) {
            "model.onnx" -> other(bytes)
            "manifest.json" -> {
                val model = assets.open("edgeseg/model.onnx").readBytes()
                bytes.decodeToString().replace(sha256(model), sha256(other(model))).toByteArray()
            }
            else -> bytes
        }.inputStream()
    }
}

/** A model that draws what it should not: another threshold, properly sealed. */
class WrongMasksApp : OtherModelApp({ Files.sealed(Files.replaced(it, "\"threshold\":0.6", "\"threshold\":0.9")) })

/** A model that carries no contract. */
class NoContractApp : OtherModelApp({ Files.replaced(it, "edgeseg.contract", "somebody.content") })

/** A model whose contract has another input size than its graph. */
class OtherSizeApp : OtherModelApp({ Files.sealed(Files.replaced(it, "\"height\":256", "\"height\":128")) })

/** A model that tells how far its masks are to be believed. */
class TrustedApp : OtherModelApp({ Trusted.model(it) })

/** One by whose numbers the mask of a phantom is to be looked at. */
class DoubtingApp : OtherModelApp({ Trusted.model(it, "{\"output\":${Trusted.DOUBTED}}") })

/** One that does not tell. */
class PlainApp : OtherModelApp({ Trusted.model(it, "null") })

val app: DemoApp get() = RuntimeEnvironment.getApplication() as DemoApp

/** Lets the worker finish and the main thread hear of it, as often as work leads to more work. */
fun settle() {
    repeat(4) {
        app.worker.submit(Callable { true }).get()
        shadowOf(Looper.getMainLooper()).idle()
    }
}

/** Opens a screen of a case. */
fun <T : Activity> launch(kind: Class<T>, study: Study): T =
    Robolectric.buildActivity(kind, Intent().putExtra(ViewerActivity.STUDY, study.id)).setup().get().also { settle() }

/** A view of a screen, which must hold it. */
fun <T : View> Activity.part(id: Int): T = requireNotNull(findViewById<T>(id))

/** All that can be read in a view, a line for each text. */
fun words(view: View): String = when {
    view.visibility == View.GONE -> ""
    view is ViewGroup -> (0 until view.childCount).joinToString("\n") { words(view.getChildAt(it)) }
    else -> (view as? TextView)?.text?.toString().orEmpty()
}

/** Draws what the screen shows into a PNG. */
fun picture(activity: Activity, name: String): Bitmap {
    settle()
    val view = activity.window.decorView
    val exactly = { size: Int -> View.MeasureSpec.makeMeasureSpec(size, View.MeasureSpec.EXACTLY) }
    val metrics = activity.resources.displayMetrics
    view.measure(exactly(metrics.widthPixels), exactly(metrics.heightPixels))
    view.layout(0, 0, metrics.widthPixels, metrics.heightPixels)
    val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
    view.draw(Canvas(bitmap))
    val file = File(System.getProperty("edgeseg.screenshots"), "$name.png")
    file.parentFile!!.mkdirs()
    file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    return bitmap
}

/** How many colours a picture holds, up to a thousand: an empty screen has few. */
fun colours(bitmap: Bitmap): Int {
    val pixels = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    return pixels.asSequence().distinct().take(1000).count()
}
