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
    Files.sealed(insert(model, ",\"plane\":\"coronal\"}"))
})

private fun insert(model: ByteArray, field: String): ByteArray {
    val line = Regex("\\{\"variant\":[^\u0000-\u001f]*\\} *").find(model.toString(Charsets.ISO_8859_1))!!.value
    val longer = (line.trimEnd().dropLast(1) + field).padEnd(line.length)
    return Files.replaced(model, line, longer)
}
