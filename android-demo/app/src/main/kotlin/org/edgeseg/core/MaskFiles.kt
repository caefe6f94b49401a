package org.edgeseg.core

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.DeflaterOutputStream
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** Masks as files, as `edgeseg run` writes them: 0 and 255, or maps of labels in the colours of their classes. */
object MaskFiles {
    private const val ENDING = "_mask"
    private const val DISCLAIMER = "Research use only. Not a medical device; not for diagnosis or treatment."
    private const val LABELS = 256

    /** A zip with a PNG for each slice, `<slice>_mask.png`. */
    fun pictures(volume: Volume, found: Segmentation, rules: List<MaskRule>): ByteArray {
        val out = ByteArrayOutputStream()
        ZipOutputStream(out).use { zip ->
            volume.slices.forEachIndexed { index, slice ->
                zip.putNextEntry(ZipEntry("${Names.stem(slice.name)}$ENDING.png").apply { time = 0 })
                zip.write(png(labels(found, rules, index), slice.height, slice.width, rules))
                zip.closeEntry()
            }
        }
        return out.toByteArray()
    }

    /** A packed NIfTI file on the voxels that the case was read from; null where that was no NIfTI file. */
    fun nifti(volume: Volume, found: Segmentation, rules: List<MaskRule>): ByteArray? =
        volume.source?.ofMasks(volume.slices.indices.map { labels(found, rules, it) })

    /** The labels of one slice, 0 and 1 of a lone mask. */
    private fun labels(found: Segmentation, rules: List<MaskRule>, slice: Int): ByteArray = labelMap(found.of(slice), rules)

    private fun png(labels: ByteArray, height: Int, width: Int, rules: List<MaskRule>): ByteArray {
        val several = rules.size > 1
        val rows = ByteArrayOutputStream()
        val deflater = Deflater(Deflater.BEST_COMPRESSION)
        DeflaterOutputStream(rows, deflater).use { out ->
            for (y in 0 until height) {
                out.write(0)
                out.write(ByteArray(width) { x -> labels[y * width + x].let { if (several) it else (-it).toByte() } })
            }
        }
        deflater.end()
        val file = ByteArrayOutputStream()
        val data = DataOutputStream(file)
        data.write(byteArrayOf(0x89.toByte(), 'P'.code.toByte(), 'N'.code.toByte(), 'G'.code.toByte(), 13, 10, 26, 10))
        chunk(data, "IHDR") {
            it.writeInt(width)
            it.writeInt(height)
            it.write(byteArrayOf(8, if (several) 3 else 0, 0, 0, 0))
        }
        if (several) chunk(data, "PLTE") { it.write(palette(rules)) }
        chunk(data, "tEXt") { it.write("Disclaimer\u0000$DISCLAIMER".encodeToByteArray()) }
        chunk(data, "IDAT") { it.write(rows.toByteArray()) }
        chunk(data, "IEND") {}
        return file.toByteArray()
    }

    private fun palette(rules: List<MaskRule>) = ByteArray(LABELS * 3).also { palette ->
        for (rule in rules) for (channel in 0..2) palette[rule.label * 3 + channel] = ((rule.colour ?: 0) shr (16 - 8 * channel)).toByte()
    }

    private fun chunk(to: DataOutputStream, type: String, fill: (DataOutputStream) -> Unit) {
        val content = ByteArrayOutputStream()
        fill(DataOutputStream(content))
        val bytes = type.encodeToByteArray() + content.toByteArray()
        to.writeInt(content.size())
        to.write(bytes)
        to.writeInt(CRC32().apply { update(bytes) }.value.toInt())
    }
}
