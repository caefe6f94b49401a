package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** DICOM series of the values that the golden NIfTI files hold: read to the byte and drawn on as Python does. */
class DicomTest {
    private val folder = File("../tests/golden/classes")
    private val told = Json.parse(File(folder, "classes.json").readText()).objects("scans").first { scan -> scan.texts("files").any { "coarse" in it } }
    private val contract = Engine(File(folder, told.text("model")).readBytes()).use { it.contract }
    private val volumes = told.texts("files").map { it.substringBefore('.') to Nifti.open(it, File(folder, it).readBytes()).single() }

    private fun files(change: (Int, Int) -> Said = { _, _ -> Said() }) = volumes.flatMapIndexed { number, (name, source) ->
        List(source.header.dim[2]) { slice -> "$name-$slice.dcm" to written(name, number, source, slice, change(number, slice)) }
    }

    private fun written(name: String, number: Int, source: NiftiSequence, slice: Int, said: Said): ByteArray {
        val (columns, rows) = source.header.dim
        val slope = source.header.scale?.first ?: 1.0
        val stored = values(source)
        val pixels = ShortArray(rows * columns) { Math.rint(stored[slice * rows * columns + it] / slope).toInt().toShort() }
        return DicomFile(rows, columns, pixels, source.header.affine(), slice, "ax $name".replace("_coarse", ""), "1.2.$number", slope).written(said)
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
