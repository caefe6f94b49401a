package org.edgeseg.demo

import org.edgeseg.core.Files
import org.edgeseg.core.Json
import org.edgeseg.core.sha256
import java.io.File
import java.io.FileNotFoundException

/** The app with one of the networks of `tests/golden/classes`, and its slices as the only case. */
abstract class ClassApp(private val network: String, private val other: (ByteArray) -> ByteArray = { it }) : TestApp() {
    private val folder = File("../tests/golden/classes")

    override fun source() = { file: String -> if (file == "manifest.json") manifest().byteInputStream() else read(file).inputStream() }

    private fun read(file: String): ByteArray = File(folder, if (file == "model.onnx") network else file).also { if (!it.isFile) throw FileNotFoundException(file) }
        .readBytes().let { if (file == "model.onnx") other(it) else it }

    private fun manifest(): String {
        val told = Json.parse(File(folder, "classes.json").readText()).objects("networks").first { it.text("file") == network }
        val slices = told.objects("slices").map { entry(it.text("file")) }
        val first = Files.decode("", read(told.objects("slices").first().text("file")))
        val channels = told.texts("channels").size
        val case = mapOf(
            "name" to "classes", "title" to "Phantom of classes", "shown" to true, "volume" to true,
            "height" to if (channels == 3) first.height else first.height / channels, "width" to first.width,
            "images" to slices, "references" to emptyList<Any>(), "expected" to told.objects("volume").map { it.text("runs") },
        )
        return Json.write(mapOf("model" to entry("model.onnx"), "made_with" to "tests", "cases" to listOf(case), "schema_version" to 2))
    }

    private fun entry(file: String) = read(file).let { mapOf("file" to file, "size_bytes" to it.size, "sha256" to sha256(it)) }
}

class OverlappingApp : ClassApp("overlapping.onnx")

class SoftmaxApp : ClassApp("softmax.onnx")

class GreyApp : ClassApp("grey.onnx")

/** A network that takes coronal slices; its contract is longer by that, and shorter by spaces behind it. */
class CoronalApp : ClassApp("grey.onnx", { model ->
    changed(model) { it.dropLast(1) + ",\"plane\":\"coronal\"}" }
})

/** One that drops the whole tumour as too small. */
class DroppingApp : ClassApp("overlapping.onnx", { model -> changed(model) { it.replaceFirst("\"min_volume_px\":6", "\"min_volume_px\":9999") } })

/** One whose numbers for the enhancing part were fitted on fewer patients. */
class FewerApp : ClassApp("overlapping.onnx", { model -> changed(model) { it.substringBeforeLast(":88,") + ":77," + it.substringAfterLast(":88,") } })

/** One by whose numbers for the enhancing part no logit is high enough that anything was found of it. */
class SurerApp : ClassApp("overlapping.onnx", { model ->
    changed(model) { it.substringBeforeLast("\"low\":0.3,\"middle\":0.5,") + "\"low\":0.3,\"middle\":0.99999," + it.substringAfterLast("\"low\":0.3,\"middle\":0.5,").replaceFirst("0.85", "0.999999") }
})

/** A model with another contract, in the place of some of the spaces behind it, sealed anew. */
private fun changed(model: ByteArray, change: (String) -> String): ByteArray {
    val line = Regex("\\{\"variant\":[^\u0000-\u001f]*\\} *").find(model.toString(Charsets.ISO_8859_1))!!.value
    return Files.sealed(Files.replaced(model, line, change(line.trimEnd()).padEnd(line.length)))
}
