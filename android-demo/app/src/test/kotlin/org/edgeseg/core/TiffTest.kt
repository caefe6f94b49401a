package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.Random
import java.util.zip.DeflaterOutputStream
import javax.imageio.IIOImage
import javax.imageio.ImageIO
import javax.imageio.ImageWriteParam

class TiffTest {
    private val image = BufferedImage(70, 90, BufferedImage.TYPE_INT_RGB).also { image ->
        val random = Random(3)
        for (y in 0 until 90) for (x in 0 until 70) image.setRGB(x, y, if (y < 40) random.nextInt(1 shl 24) else 0x102030)
    }

    private fun tiff(image: BufferedImage, compression: String?): ByteArray {
        val writer = ImageIO.getImageWritersByFormatName("tiff").next()
        val settings = writer.defaultWriteParam
        if (compression != null) {
            settings.compressionMode = ImageWriteParam.MODE_EXPLICIT
            settings.compressionType = compression
        }
        val out = ByteArrayOutputStream()
        ImageIO.createImageOutputStream(out).use { stream ->
            writer.output = stream
            writer.write(null, IIOImage(image, null, null), settings)
        }
        return out.toByteArray()
    }

    @Test
    fun `each way of storing gives the same pixels`() {
        val wanted = ByteArray(70 * 90 * 3) { (image.getRGB(it / 3 % 70, it / 3 / 70) shr (16 - 8 * (it % 3))).toByte() }
        for (compression in listOf(null, "LZW", "PackBits", "ZLib", "Deflate")) {
            val slice = Tiff.decode("a.tif", tiff(image, compression))
            assertEquals(90 to 70, slice.height to slice.width)
            assertArrayEquals(compression, wanted, slice.bytes)
        }
    }

    @Test
    fun `what cannot be read is told`() {
        val whole = tiff(image, "LZW")
        val cut = assertThrows(SliceException::class.java) { Tiff.decode("a.tif", whole.copyOf(whole.size / 3)) }
        assertTrue(cut.message, "damaged" in cut.message!!)
        val palette = assertThrows(SliceException::class.java) { Tiff.decode("p.tif", tiff(BufferedImage(8, 8, BufferedImage.TYPE_BYTE_INDEXED), null)) }
        assertTrue(palette.message, "palette" in palette.message!!)
        val deep = BufferedImage(8, 8, BufferedImage.TYPE_USHORT_GRAY)
        val error = assertThrows(SliceException::class.java) { Tiff.decode("deep.tif", tiff(deep, null)) }
        assertTrue(error.message, "16 bits" in error.message!!)
    }

    /** Files that Pillow wrote; tests/test_android_demo.py holds them to what Pillow and edgeseg write today. */
    private val written = File("app/src/test/resources/tiff").listFiles()!!.associate { it.name to it.readBytes() }

    @Test
    fun `a mask that edgeseg wrote and pictures in each of Pillow's ways are read to the pixel`() {
        assertEquals(setOf("edgeseg_mask.tiff", "deflate.tif", "deflate_predicted.tif", "lzw_predicted.tif", "packbits.tif", "plain.tif"), written.keys)
        for ((name, bytes) in written) {
            val slice = Tiff.decode(name, bytes)
            val mask = "mask" in name
            assertEquals(name, if (mask) 300 to 260 else 30 to 40, slice.height to slice.width)
            val wanted = ByteArray(slice.bytes.size) {
                val (y, x, channel) = Triple(it / 3 / slice.width, it / 3 % slice.width, it % 3)
                (if (mask) (if ((x - 90) * (x - 90) + 2 * (y - 170) * (y - 170) < 9000) 255 else 0) else x * x * 7 + y * 5 + channel * 40).toByte()
            }
            assertArrayEquals(name, wanted, slice.bytes)
        }
    }

    @Test
    fun `damage ends in one message or in a picture, and never in anything else`() {
        for ((name, bytes) in written) {
            for (end in 0 until bytes.size) if (Tiff.isTiff(bytes.copyOf(end))) tried(name, bytes.copyOf(end))
            val random = Random(5)
            repeat(2000) {
                val changed = bytes.copyOf()
                repeat(3) { changed[4 + random.nextInt(bytes.size - 4)] = random.nextInt(256).toByte() }
                tried(name, changed)
            }
        }
    }

    private fun tried(name: String, bytes: ByteArray) {
        try {
            Tiff.decode(name, bytes)
        } catch (told: SliceException) {
            assertTrue(told.message, told.message!!.startsWith(name))
        }
    }

    @Test
    fun `compressed data that is cut short, changed or far too long is damage`() {
        val bytes = written.getValue("edgeseg_mask.tiff")
        val changed = bytes.copyOf().also { it[40] = (it[40].toInt() xor 1).toByte() }
        for (bad in listOf(changed, small(deflated(4).copyOf(6)), small(deflated(100_000)))) {
            val error = assertThrows(SliceException::class.java) { Tiff.decode("a.tif", bad) }
            assertTrue(error.message, "damaged" in error.message!!)
        }
        assertArrayEquals(ByteArray(12), Tiff.decode("a.tif", small(deflated(4))).bytes)
    }

    private fun deflated(size: Int) = ByteArrayOutputStream().also { out -> DeflaterOutputStream(out).use { it.write(ByteArray(size)) } }.toByteArray()

    /** A grey picture of 2 x 2 pixels whose only strip, in Deflate, is this. */
    private fun small(strip: ByteArray): ByteArray {
        val tags = listOf(256 to 2, 257 to 2, 258 to 8, 259 to 8, 273 to 8 + 2 + 7 * 12 + 4, 277 to 1, 279 to strip.size)
        val buffer = ByteBuffer.allocate(8 + 2 + 7 * 12 + 4 + strip.size).order(ByteOrder.LITTLE_ENDIAN)
        buffer.put("II".toByteArray()).putShort(42).putInt(8).putShort(tags.size.toShort())
        for ((tag, value) in tags) buffer.putShort(tag.toShort()).putShort(4).putInt(1).putInt(value)
        return buffer.putInt(0).put(strip).array()
    }
}
