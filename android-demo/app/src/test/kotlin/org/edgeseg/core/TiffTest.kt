package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.util.Random
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
        for (compression in listOf(null, "LZW", "PackBits")) {
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
        val deep = BufferedImage(8, 8, BufferedImage.TYPE_USHORT_GRAY)
        val error = assertThrows(SliceException::class.java) { Tiff.decode("deep.tif", tiff(deep, null)) }
        assertTrue(error.message, "16 bits" in error.message!!)
    }
}
