package org.edgeseg.core

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** What a DICOM file says of itself; a test changes one thing of it. */
class Said(val explicit: Boolean = true, val syntax: String? = null, val modality: String = "MR", val patient: String = "p1", val shift: Double = 0.0, val frames: String? = null, val padding: Int? = null)

/** One made-up DICOM slice of MR: [lps] takes (column, row, slice) to mm. */
class DicomFile(
    private val rows: Int, private val columns: Int, private val stored: ShortArray, private val lps: Array<DoubleArray>, private val slice: Int,
    private val description: String, private val series: String, private val slope: Double = 1.0,
) {
    private val out = ByteArrayOutputStream()

    /** The bytes of the file. */
    fun written(said: Said = Said()): ByteArray {
        val mm = DoubleArray(2) { k -> kotlin.math.sqrt(lps.sumOf { it[k] * it[k] }) }
        val pixels = ByteBuffer.allocate(rows * columns * 2).order(ByteOrder.LITTLE_ENDIAN).apply { for (value in stored) putShort(value) }
        out.reset()
        out.write(ByteArray(128) + "DICM".toByteArray())
        add(0x00020010, "UI", (said.syntax ?: if (said.explicit) "1.2.840.10008.1.2.1" else "1.2.840.10008.1.2").toByteArray() + 0, true)
        fun set(tag: Int, kind: String, content: ByteArray) = add(tag, kind, content, said.explicit)
        set(0x00080060, "CS", said.modality.toByteArray())
        set(0x0008103e, "LO", description.toByteArray())
        // a sequence with an item, both of a length that is not told
        set(0x00081140, "SQ", byteArrayOf(0xfe.toByte(), 0xff.toByte(), 0, 0xe0.toByte(), -1, -1, -1, -1, 0xfe.toByte(), 0xff.toByte(), 0x0d, 0xe0.toByte(), 0, 0, 0, 0, 0xfe.toByte(), 0xff.toByte(), 0xdd.toByte(), 0xe0.toByte(), 0, 0, 0, 0))
        set(0x00100020, "LO", said.patient.toByteArray())
        set(0x0020000e, "UI", series.toByteArray())
        set(0x00200032, "DS", numbers(*DoubleArray(3) { lps[it][3] + slice * lps[it][2] + if (it == 2) said.shift else 0.0 }))
        set(0x00200037, "DS", numbers(*DoubleArray(6) { lps[it % 3][it / 3] / mm[it / 3] }))
        set(0x00280002, "US", word(1))
        set(0x00280004, "CS", "MONOCHROME2".toByteArray())
        said.frames?.let { set(0x00280008, "IS", it.toByteArray()) }
        set(0x00280010, "US", word(rows))
        set(0x00280011, "US", word(columns))
        set(0x00280030, "DS", numbers(mm[1], mm[0]))
        set(0x00280100, "US", word(16))
        set(0x00280103, "US", word(1))
        said.padding?.let { set(0x00280120, "SS", word(it)) }
        set(0x00281052, "DS", "0".toByteArray())
        set(0x00281053, "DS", numbers(slope))
        set(0x7fe00010, "OW", pixels.array())
        return out.toByteArray()
    }

    private fun add(tag: Int, kind: String, content: ByteArray, explicit: Boolean) {
        val even = if (content.size % 2 == 0) content else content + ' '.code.toByte()
        val long = kind in setOf("OW", "SQ")
        val head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putShort((tag ushr 16).toShort()).putShort(tag.toShort())
        if (explicit) head.put(kind.toByteArray())
        if (explicit && !long) head.putShort(even.size.toShort()) else (if (explicit) head.putShort(0) else head).putInt(if (kind == "SQ") -1 else even.size)
        out.write(head.array(), 0, head.position())
        out.write(even)
    }

    private fun word(value: Int) = byteArrayOf(value.toByte(), (value shr 8).toByte())

    private fun numbers(vararg all: Double) = all.joinToString("\\").toByteArray()
}
