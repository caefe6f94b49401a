package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** DICOM series of the values that the golden NIfTI files hold: read to the byte and drawn on as Python does. */
class DicomTest {
    private val folder = File("../tests/golden/classes")
    private val told = Json.parse(File(folder, "classes.json").readText()).objects("scans").first { scan -> scan.texts("files").any { "coarse" in it } }
    private val contract = Engine(File(folder, told.text("model")).readBytes()).use { it.contract }
    private val volumes = told.texts("files").map { it.substringBefore('.') to Nifti.open(it, File(folder, it).readBytes()).single() }

    /** What a file says; a test changes one thing of it. */
    private class Said(val explicit: Boolean = true, val syntax: String? = null, val modality: String = "MR", val patient: String = "p1", val shift: Double = 0.0, val frames: String? = null, val padding: Int? = null)

    private fun files(change: (Int, Int) -> Said = { _, _ -> Said() }) = volumes.flatMapIndexed { number, (name, source) ->
        List(source.header.dim[2]) { slice -> "$name-$slice.dcm" to written(name, number, source, slice, change(number, slice)) }
    }

    private fun written(name: String, number: Int, source: NiftiSequence, slice: Int, said: Said): ByteArray {
        val (columns, rows) = source.header.dim
        val lps = source.header.affine()
        val mm = DoubleArray(2) { k -> kotlin.math.sqrt(lps.sumOf { it[k] * it[k] }) }
        val slope = source.header.scale?.first ?: 1.0
        val stored = values(source)
        val pixels = ByteBuffer.allocate(rows * columns * 2).order(ByteOrder.LITTLE_ENDIAN)
        for (at in 0 until rows * columns) pixels.putShort(Math.rint(stored[slice * rows * columns + at] / slope).toInt().toShort())
        val out = ByteArrayOutputStream()
        out.write(ByteArray(128) + "DICM".toByteArray())
        fun add(tag: Int, kind: String, content: ByteArray, explicit: Boolean) {
            val even = if (content.size % 2 == 0) content else content + ' '.code.toByte()
            val long = kind in setOf("OW", "SQ")
            val head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putShort((tag ushr 16).toShort()).putShort(tag.toShort())
            if (explicit) head.put(kind.toByteArray())
            if (explicit && !long) head.putShort(even.size.toShort()) else (if (explicit) head.putShort(0) else head).putInt(if (kind == "SQ") -1 else even.size)
            out.write(head.array(), 0, head.position())
            out.write(even)
        }
        fun word(value: Int) = byteArrayOf(value.toByte(), (value shr 8).toByte())
        fun numbers(vararg all: Double) = all.joinToString("\\").toByteArray()
        add(0x00020010, "UI", (said.syntax ?: if (said.explicit) "1.2.840.10008.1.2.1" else "1.2.840.10008.1.2").toByteArray() + 0, true)
        fun set(tag: Int, kind: String, content: ByteArray) = add(tag, kind, content, said.explicit)
        set(0x00080060, "CS", said.modality.toByteArray())
        set(0x0008103e, "LO", "ax $name".replace("_coarse", "").toByteArray())
        // a sequence with an item, both of a length that is not told
        set(0x00081140, "SQ", byteArrayOf(0xfe.toByte(), 0xff.toByte(), 0, 0xe0.toByte(), -1, -1, -1, -1, 0xfe.toByte(), 0xff.toByte(), 0x0d, 0xe0.toByte(), 0, 0, 0, 0, 0xfe.toByte(), 0xff.toByte(), 0xdd.toByte(), 0xe0.toByte(), 0, 0, 0, 0))
        set(0x00100020, "LO", said.patient.toByteArray())
        set(0x0020000e, "UI", "1.2.$number".toByteArray())
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

    /** All values in the order that they are stored in. */
    private fun values(source: NiftiSequence): DoubleArray {
        val (columns, rows, slices) = source.header.dim
        val strides = intArrayOf(1, columns, columns * rows)
        val stored = DoubleArray(columns * rows * slices)
        for (s in 0 until source.grid.shape[0]) source.plane(s).forEachIndexed { at, value ->
            val seen = intArrayOf(s, at / source.grid.shape[2], at % source.grid.shape[2])
            stored[(0..2).sumOf { (if (source.grid.flips[it]) source.grid.shape[it] - 1 - seen[it] else seen[it]) * strides[source.grid.axes[it]] }] = value
        }
        return stored
    }

    private fun volume(files: List<Pair<String, ByteArray>>) = NiftiVolume(contract).of("scan", Dicom.asNifti(files, contract))

    private fun refused(says: String, files: List<Pair<String, ByteArray>>) {
        val error = assertThrows(SliceException::class.java) { volume(files) }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `series are read to the byte, with their spacing, and drawn on as Python draws`() {
        for (explicit in listOf(true, false)) {
            val volume = volume(files { _, _ -> Said(explicit) }.sortedByDescending { it.first })
            val spacing = volume.spacing!!.run { listOf(sliceMm, rowMm, columnMm) }
            told.reals("spacing_mm").zip(spacing) { wanted, found -> assertEquals(wanted, found, 1e-9) }
            assertTrue(volume.oriented)
            assertEquals(told.texts("pixels_sha256"), volume.slices.map { sha256(it.bytes) })
            Segmenter(Engine(File(folder, told.text("model")).readBytes())).use { segmenter ->
                val found = segmenter.segment(volume)
                val flips = told.objects("volume").mapIndexed { slice, mask ->
                    Runs.flips(Runs.decode(mask.text("runs"), mask.whole("height") * mask.whole("width")), found.of(slice).reduce { all, one -> all + one })
                }
                assertEquals(volume.slices.map { 0 }, flips)
            }
        }
    }

    @Test
    fun `padding becomes the darkest value that is none`() {
        val (_, source) = volumes.first()
        val slope = source.header.scale?.first ?: 1.0
        val all = values(source).sorted()
        val most = all.last()
        val (_, bytes) = Dicom.asNifti(files { number, _ -> Said(padding = Math.rint(most / slope).toInt().takeIf { number == 0 }) }, contract).first()
        val found = values(Nifti.open("padded.nii", bytes).single())
        assertFalse(found.any { it == most })
        assertEquals(all.first(), found.min(), 0.0)
        assertEquals(all.count { it == all.first() || it == most }, found.count { it == all.first() })
    }

    @Test
    fun `files that do not fit are told, each with what to do`() {
        val good = files()
        val (name, bytes) = good.first()
        refused("no DICOM file", good.drop(1) + (name to "hello".toByteArray()))
        refused("cut short", good.drop(1) + (name to bytes.copyOf(bytes.size - 40)))
        refused("cut short", good.drop(1) + (name to bytes.copyOf(150)))
        refused("compressed", files { _, _ -> Said(syntax = "1.2.840.10008.1.2.4.70") })
        refused("is CT", files { _, _ -> Said(modality = "CT") })
        refused("4 frames", files { _, _ -> Said(frames = "4") })
        refused("2 patients", files { number, _ -> Said(patient = "p$number") })
        refused("two slices at one place", good + (name to bytes))
        refused("do not lie evenly", files { _, slice -> Said(shift = if (slice == 0) -5.0 else 0.0) }.let { it })
        refused("one slice alone", good.filter { "-0." in it.first })
        refused("'t2' by its name", good.filter { it.first.startsWith("flair") })
    }

    @Test
    fun `names that scanners give may be those of DICOM files`() {
        assertEquals(listOf(true, true, true, true, false, false), listOf("a.dcm", "MR.IMA", "IM0001", "1.2.840.7", "a.nii.gz", "a.png").map(Dicom::mayBeDicom))
    }
}
