package org.edgeseg.core

import java.io.ByteArrayInputStream
import java.io.File
import javax.imageio.ImageIO

/** The app's assets, read by the plain JVM. */
object Files {
    val assets = File(System.getProperty("edgeseg.assets"), "edgeseg")
    private val floats = File("app/src/main/assets/edgeseg-float")

    fun bundle(): Bundle = Bundle({ File(assets, it).inputStream() }, ::decode)

    /** The float model and its masks, on the pictures of the assets. */
    fun floatBundle(): Bundle = Bundle({ File(if (it.startsWith("cases/")) assets else floats, it).inputStream() }, ::decode)

    /** A model with one piece of its contract, or of anything in it, replaced by another of equal length. */
    fun replaced(model: ByteArray, from: String, to: String): ByteArray {
        require(from.length == to.length)
        val text = model.toString(Charsets.ISO_8859_1)
        require(from in text) { "the model does not hold $from" }
        return text.replaceFirst(from, to).toByteArray(Charsets.ISO_8859_1)
    }

    /** A model whose contract was changed, sealed anew as whoever builds one would. */
    fun sealed(model: ByteArray): ByteArray {
        val text = model.toString(Charsets.ISO_8859_1)
        val stated = Regex("\"contract_sha256\":\"([0-9a-f]{64})\"").find(text)!!.groupValues[1]
        val line = Regex("\\{\"variant\":[^\u0000-\u001f]*\\} *").find(text)!!.value
        return replaced(model, "\"contract_sha256\":\"$stated\"", "\"contract_sha256\":\"${Seal.digest(line, stated)}\"")
    }

    /** JSON with something else for the nulls in its lists, where the app's reader, and so that of the tests, takes none. */
    fun withoutNulls(json: File, item: String): JsonObject = Json.parse(json.readText().replace(Regex("([\\[,]\\s*)null(?=\\s*[,\\]])"), "$1$item"))

    fun decode(name: String, bytes: ByteArray): Slice {
        val image = ImageIO.read(ByteArrayInputStream(bytes))
        val pixels = ByteArray(image.width * image.height * 3)
        val grey = image.raster.takeIf { it.numBands == 1 && image.colorModel !is java.awt.image.IndexColorModel && image.sampleModel.getSampleSize(0) == 8 }
        for (at in 0 until image.width * image.height) {
            if (grey != null) {
                // getRGB would bend grey levels
                pixels.fill(grey.getSample(at % image.width, at / image.width, 0).toByte(), at * 3, at * 3 + 3)
                continue
            }
            val rgb = image.getRGB(at % image.width, at / image.width)
            for (channel in 0..2) pixels[at * 3 + channel] = (rgb shr (16 - 8 * channel)).toByte()
        }
        return Slice(name, image.height, image.width, pixels)
    }

    /**
     * Int8 options that count as a tablet's: ONNX Runtime's fused kernels saturate on x86 without VNNI, where only the
     * basic graph comes near the masks of an Arm processor.
     */
    fun int8Options(): EngineOptions {
        val flags = File("/proc/cpuinfo").takeIf { it.exists() }?.readText().orEmpty()
        val x86 = System.getProperty("os.arch") == "amd64"
        return EngineOptions(reduced = x86 && "avx512_vnni" !in flags && "avx_vnni" !in flags)
    }
}
