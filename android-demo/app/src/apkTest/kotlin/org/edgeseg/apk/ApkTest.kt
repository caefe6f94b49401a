package org.edgeseg.apk

import org.edgeseg.core.Json
import org.edgeseg.core.JsonObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.util.zip.ZipFile

/** The library and the model that lie in the packed APK, against the codes that Python computes: `apk_codes.py` writes them. */
class ApkTest {
    private val folder = File("target/apk-codes")
    private val told = Json.parse(File(folder, "codes.json").readText())

    private fun end(json: JsonObject) = End(json.text("name"), json.wholes("shape"))

    private fun unpacked(name: String, into: String): File = File(folder, into).also { file ->
        ZipFile(told.text("apk")).use { apk -> apk.getInputStream(apk.getEntry(name)).use { from -> file.outputStream().use { from.copyTo(it) } } }
    }

    @Test
    fun `the library in the APK gives Python's codes, every one`() {
        val (input, output) = end(told.obj("input")) to end(told.obj("output"))
        val library = unpacked("lib/arm64-v8a/libonnxruntime.so", "libonnxruntime.so")
        val model = unpacked("assets/edgeseg/model.onnx", "model.onnx").readBytes()
        val (given, wanted) = File(folder, "inputs.bin").readBytes() to File(folder, "outputs.bin").readBytes()
        val count = given.size / input.size
        assertTrue(count > 0)
        assertEquals(count * output.size, wanted.size)
        var other = 0
        AndroidRuntime(library, model, input, output).use { runtime ->
            for (slice in 0 until count) {
                val found = runtime.infer(given.copyOfRange(slice * input.size, (slice + 1) * input.size))
                other += found.indices.count { found[it] != wanted[slice * output.size + it] }
            }
            println("ONNX Runtime ${runtime.version} for Android, emulated: $other of ${wanted.size} codes of $count slices differ from Python's")
        }
        assertEquals(0, other)
    }
}
