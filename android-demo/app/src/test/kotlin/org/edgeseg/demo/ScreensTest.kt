package org.edgeseg.demo

import android.app.Activity
import android.content.ContentProvider
import android.content.ContentValues
import android.content.Intent
import android.database.Cursor
import android.database.MatrixCursor
import android.graphics.Insets
import android.net.Uri
import android.provider.DocumentsContract
import android.view.View
import android.view.WindowInsets
import android.widget.Button
import android.widget.LinearLayout
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Files
import org.edgeseg.core.Json
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File

private const val LANDSCAPE = "w1280dp-h800dp-land-notnight-mdpi"
private const val LANDSCAPE_DARK = "w1280dp-h800dp-land-night-mdpi"
private const val PORTRAIT = "w800dp-h1280dp-port-notnight-mdpi"
private const val PORTRAIT_DARK = "w800dp-h1280dp-port-night-mdpi"

/** Every screen, built and driven as a user would, and drawn into build pictures. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApp::class, qualifiers = LANDSCAPE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest {
    private fun <T : Activity> launch(kind: Class<T>, intent: Intent = Intent()): ActivityController<T> {
        settle()
        val controller = Robolectric.buildActivity(kind, intent).setup()
        settle()
        return controller
    }

    private fun <T : View> Activity.part(id: Int): T = requireNotNull(findViewById<T>(id))

    private fun Activity.text(id: Int) = part<TextView>(id).text.toString()

    private fun Activity.has(id: Int) = part<View>(id).visibility == View.VISIBLE

    private fun cases() = launch(CasesActivity::class.java)

    /** Opens the first bundled case from the list, and lets it run. */
    private fun viewer(): ActivityController<ViewerActivity> {
        val list = cases().get()
        list.part<LinearLayout>(R.id.list).getChildAt(1).performClick()
        settle()
        val next = shadowOf(list).nextStartedActivity
        assertEquals(ViewerActivity::class.java.name, next.component!!.className)
        return launch(ViewerActivity::class.java, next)
    }

    @Test
    fun `the list shows the bundled cases after the self-test`() {
        val list = cases().get()
        assertTrue(list.text(R.id.status), "Self-test passed" in list.text(R.id.status))
        assertEquals(3, list.part<LinearLayout>(R.id.list).childCount)
        assertFalse(list.has(R.id.error))
        assertTrue(colours(picture(list, "cases-landscape-light")) > 100)
    }

    @Test
    @Config(qualifiers = PORTRAIT_DARK)
    fun `the list in portrait and dark`() {
        assertTrue(colours(picture(cases().get(), "cases-portrait-dark")) > 100)
    }

    @Test
    fun `a case is opened, moved through and changed`() {
        val viewer = viewer().get()
        val slider = viewer.part<SeekBar>(R.id.slider)
        assertEquals("Slice ${slider.progress + 1} of ${slider.max + 1}", viewer.text(R.id.position))
        viewer.part<Switch>(R.id.reference).isChecked = true
        val before = picture(viewer, "viewer-landscape")
        slider.progress = slider.progress + 1
        assertEquals("Slice ${slider.progress + 1} of ${slider.max + 1}", viewer.text(R.id.position))
        assertNotEquals(0, differences(before, picture(viewer, "scratch")))
        viewer.part<View>(R.id.next).performClick()
        viewer.part<View>(R.id.previous).performClick()
        viewer.part<SliceView>(R.id.slice).onSwipe(-1)
        assertEquals(before.width, 1280)
        assertEquals(0, differences(before, picture(viewer, "scratch")))
        for (change in listOf<(Activity) -> Unit>(
            { it.part<RadioGroup>(R.id.sequences).run { check(getChildAt(2).id) } },
            { it.part<SeekBar>(R.id.opacity).progress = 0 },
            { it.part<Switch>(R.id.outline).isChecked = false },
            { it.part<Switch>(R.id.reference).isChecked = false },
            { it.part<SliceView>(R.id.slice).zoomTo(3f, 300f, 300f) },
        )) {
            val was = picture(viewer, "scratch")
            change(viewer)
            assertNotEquals(0, differences(was, picture(viewer, "scratch")))
        }
        assertTrue(viewer.part<View>(R.id.slice).contentDescription.startsWith("Post of slice"))
    }


    @Test
    @Config(qualifiers = PORTRAIT)
    fun `the viewer in portrait`() {
        assertTrue(colours(picture(viewer().get(), "viewer-portrait")) > 200)
    }

    @Test
    fun `turning the tablet in the middle of a run disturbs nothing`() {
        val ready = app.apply { settle() }.model as ModelState.Ready
        val case = ready.bundle.cases.first { it.shown }
        app.start(Study(case.name, ready.bundle.volume(case), own = false, ready.segmenter.contract))
        val controller = Robolectric.buildActivity(ViewerActivity::class.java, Intent().putExtra(ViewerActivity.STUDY, case.name)).setup()
        controller.get().part<SeekBar>(R.id.slider).progress = 3
        RuntimeEnvironment.setQualifiers(PORTRAIT)
        val turned = controller.recreate().get()
        settle()
        assertEquals("Slice 4 of ${case.images.size}", turned.text(R.id.position))
        assertTrue(app.studies.getValue(case.name).run is RunState.Done)
        assertTrue(turned.part<View>(R.id.results).isEnabled)
        assertEquals("Run again", turned.text(R.id.run))
    }

    @Test
    fun `a run is cancelled and started again`() {
        val viewer = viewer().get()
        val study = app.studies.values.single()
        viewer.part<Button>(R.id.run).performClick()
        viewer.part<Button>(R.id.run).performClick()
        settle()
        assertTrue(study.run is RunState.Cancelled)
        assertEquals(viewer.getString(R.string.cancelled), viewer.text(R.id.state))
        assertFalse(viewer.part<View>(R.id.results).isEnabled)
        viewer.part<Button>(R.id.run).performClick()
        settle()
        assertTrue(study.run is RunState.Done)
    }

    @Test
    fun `results hold what was found, with volume once spacing is known`() {
        viewer()
        val study = app.studies.values.single()
        val results = launch(ResultsActivity::class.java, Intent().putExtra(ViewerActivity.STUDY, study.id)).get()
        assertTrue("spacing not known" in words(results))
        study.spacing = org.edgeseg.core.Spacing(5.0, 1.0, 1.0)
        app.changed()
        val pixels = (study.run as RunState.Done).segmentation.tumourPixels
        assertTrue("${Screen.decimal(pixels * 5 / 1000.0, 1)} mL" in words(results))
        assertTrue(colours(picture(results, "results-landscape-light")) > 30)
    }

    @Test
    @Config(qualifiers = LANDSCAPE_DARK)
    fun `about shows the contract`() {
        val about = launch(AboutActivity::class.java).get()
        val contract = (app.model as ModelState.Ready).segmenter.contract
        assertTrue(contract.intendedUse in words(about))
        assertTrue(contract.threshold.toString() in words(about))
        assertTrue(colours(picture(about, "about-landscape-dark")) > 30)
    }

    @Test
    fun `the benchmark runs and shares the schema of edgeseg bench`() {
        val benchmark = launch(BenchmarkActivity::class.java).get()
        benchmark.part<Button>(R.id.start).performClick()
        assertEquals("Cancel", benchmark.text(R.id.start))
        settle()
        assertEquals("Start", benchmark.text(R.id.start))
        assertTrue(colours(picture(benchmark, "benchmark-landscape-light")) > 30)
        benchmark.part<Button>(R.id.share).performClick()
        val sent = shadowOf(benchmark).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        assertEquals(100, Json.parse(sent.getStringExtra(Intent.EXTRA_TEXT)!!).objects("cells").single().whole("runs"))
    }

    @Test
    @Config(application = CutShortApp::class)
    fun `a model that is cut short is told, and nothing can be opened`() {
        val list = cases().get()
        assertTrue(list.text(R.id.error), "damaged" in list.text(R.id.error))
        assertFalse(list.part<View>(R.id.open_images).isEnabled)
        picture(list, "cases-error")
    }

    @Test
    @Config(application = NoContractApp::class)
    fun `a model without a contract is told, and nothing can be opened`() = refused("carries no contract")

    @Test
    @Config(application = OtherSizeApp::class)
    fun `a model of another input size is told, and nothing can be opened`() = refused("belongs to another model")

    private fun refused(says: String) {
        val list = cases().get()
        assertTrue(list.text(R.id.error), says in list.text(R.id.error))
        assertFalse(list.part<View>(R.id.open_images).isEnabled)
    }

    @Test
    @Config(application = WrongMasksApp::class)
    fun `a tablet that draws other masks is told`() {
        val list = cases().get()
        assertTrue(list.text(R.id.error), "does not draw what the model should" in list.text(R.id.error))
    }

    @Test
    fun `own pictures of another size are opened`() {
        val list = cases().get()
        pick(list, R.id.open_images, uri("larger_1.png", File(Files.assets, "cases/larger/larger_1.png").readBytes()))
        val study = app.studies.values.single()
        assertEquals(300 to 331, study.volume.slices.single().run { height to width })
        assertTrue(study.run is RunState.Done)
        assertFalse(list.has(R.id.error))
    }

    @Test
    fun `a file that is no picture is told, and the app goes on`() {
        val list = cases().get()
        pick(list, R.id.open_images, uri("letter.png", "hello".toByteArray()))
        assertTrue(list.text(R.id.error), "is no picture" in list.text(R.id.error))
        pick(list, R.id.open_images, uri("smaller_1.png", File(Files.assets, "cases/smaller/smaller_1.png").readBytes()))
        assertFalse(list.has(R.id.error))
        assertEquals(1, app.studies.size)
    }

    @Test
    fun `a folder with a missing slice, or one of another size, is told`() {
        val list = cases().get()
        val folder = Robolectric.setupContentProvider(Folder::class.java, "folder.test")
        val slice = { name: String -> File(Files.assets, "cases/$name/${name}_1.png").readBytes() }
        folder.files = mapOf("a_1.png" to slice("smaller"), "a_3.png" to slice("smaller"))
        pickFolder(list, folder)
        assertTrue(list.text(R.id.error), "a_2 is missing" in list.text(R.id.error))
        folder.files = mapOf("a_1.png" to slice("smaller"), "a_2.png" to slice("larger"))
        pickFolder(list, folder)
        assertTrue(list.text(R.id.error), "331 x 300" in list.text(R.id.error))
        folder.files = mapOf("notes.txt" to ByteArray(3))
        pickFolder(list, folder)
        assertTrue(list.text(R.id.error), "no slices" in list.text(R.id.error))
        folder.files = mapOf("a_1.png" to slice("smaller"), "a_2.png" to slice("smaller"))
        pickFolder(list, folder)
        assertFalse(list.has(R.id.error))
        assertTrue(app.studies.values.single().volume.whole)
    }

    @Test
    fun `every screen keeps clear of the system's bars and of a cutout`() {
        val bars = Insets.of(0, 48, 0, 24)
        val insets = WindowInsets.Builder()
            .setInsets(WindowInsets.Type.systemBars(), bars)
            .setInsets(WindowInsets.Type.displayCutout(), Insets.of(72, 0, 0, 0))
            .build()
        val study = Intent().putExtra(ViewerActivity.STUDY, viewer().let { app.studies.values.single().id })
        for (kind in listOf(CasesActivity::class.java, ViewerActivity::class.java, ResultsActivity::class.java, BenchmarkActivity::class.java, AboutActivity::class.java)) {
            val root = launch(kind, study).get().part<View>(R.id.root)
            root.dispatchApplyWindowInsets(insets)
            assertEquals(kind.simpleName, listOf(72, 48, 0, 24), root.run { listOf(paddingLeft, paddingTop, paddingRight, paddingBottom) })
        }
    }

    @Test
    fun `every button and picture that can be touched speaks`() {
        for (activity in listOf(viewer().get(), cases().get())) {
            each(activity.window.decorView) { view ->
                if (view.isClickable && view.visibility == View.VISIBLE && view.isEnabled && view.id != View.NO_ID) {
                    val said = view.contentDescription ?: (view as? TextView)?.text
                    assertFalse(activity.resources.getResourceName(view.id), said.isNullOrEmpty())
                }
            }
        }
    }

    private fun pick(list: Activity, button: Int, uri: Uri) {
        list.part<View>(button).performClick()
        val asked = shadowOf(list).nextStartedActivityForResult
        shadowOf(list).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(uri))
        settle()
    }

    private fun pickFolder(list: Activity, folder: Folder) {
        for (name in folder.files.keys) {
            val document = DocumentsContract.buildDocumentUriUsingTree(DocumentsContract.buildTreeDocumentUri("folder.test", "root"), name)
            shadowOf(list.contentResolver).registerInputStreamSupplier(document) { folder.files.getValue(name).inputStream() }
        }
        pick(list, R.id.open_folder, DocumentsContract.buildTreeDocumentUri("folder.test", "root"))
    }

    private fun uri(name: String, bytes: ByteArray): Uri {
        val uri = Uri.parse("content://pictures.test/$name")
        shadowOf(app.contentResolver).registerInputStreamSupplier(uri) { bytes.inputStream() }
        return uri
    }

    private fun differences(one: android.graphics.Bitmap, other: android.graphics.Bitmap): Int =
        (0 until one.width * one.height step 7).count { one.getPixel(it % one.width, it / one.width) != other.getPixel(it % one.width, it / one.width) }

    private fun words(activity: Activity): String = StringBuilder().also { out -> each(activity.window.decorView) { if (it is TextView) out.append(it.text).append('\n') } }.toString()

    private fun each(view: View, to: (View) -> Unit) {
        to(view)
        if (view is android.view.ViewGroup) for (index in 0 until view.childCount) each(view.getChildAt(index), to)
    }
}

/** A folder that the system's picker could give. */
class Folder : ContentProvider() {
    var files: Map<String, ByteArray> = emptyMap()

    override fun onCreate() = true

    override fun query(uri: Uri, columns: Array<String>?, selection: String?, arguments: Array<String>?, order: String?): Cursor =
        MatrixCursor(columns).apply { for (name in files.keys) addRow(columnNames.map { name.takeIf { _ -> it != DocumentsContract.Document.COLUMN_MIME_TYPE } }) }

    override fun getType(uri: Uri): String? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?) = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?) = 0
}
