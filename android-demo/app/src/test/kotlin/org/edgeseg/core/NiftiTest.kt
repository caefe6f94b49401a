package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** NIfTI files read and drawn on as Python does, and written back on their voxels. */
class NiftiTest {
    private val folder = File("../tests/golden/classes")
    private val scans = Json.parse(File(folder, "classes.json").readText()).objects("scans")
    private val told = scans.first()
    private val files = told.texts("files").map { it to File(folder, it).readBytes() }
    private val model = File(folder, told.text("model")).readBytes()
    private val contract = Engine(model).use { it.contract }

    private fun refused(says: String, vararg given: Pair<String, ByteArray>) {
        val error = assertThrows(SliceException::class.java) { NiftiVolume(contract).of("", given.toList()) }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `a volume is read to the byte, with its spacing, on one grid or on two, and drawn on as Python draws`() {
        for (told in scans) {
            val given = told.texts("files").map { it to File(folder, it).readBytes() }
            val volume = NiftiVolume(contract).of("scan", given.reversed())
            assertEquals(told.reals("spacing_mm"), volume.spacing!!.run { listOf(sliceMm, rowMm, columnMm) })
            assertTrue(volume.oriented)
            assertEquals("${told.texts("files")}", told.texts("pixels_sha256"), volume.slices.map { sha256(it.bytes) })
            Segmenter(Engine(model)).use { segmenter ->
                val found = segmenter.segment(volume)
                val flips = told.objects("volume").mapIndexed { slice, mask ->
                    Runs.flips(Runs.decode(mask.text("runs"), mask.whole("height") * mask.whole("width")), found.of(slice).reduce { all, one -> all + one })
                }
                assertEquals(volume.slices.map { 0 }, flips)
                assertTrue(found.tumourPixels > 0)
            }
        }
    }

    @Test
    fun `labels are written on the voxels of a file, whichever way it is stored, and read back`() {
        for ((name, bytes) in files) {
            val source = Nifti.open(name, bytes).single()
            val labels = List(source.grid.shape[0]) { slice -> ByteArray(source.grid.shape[1] * source.grid.shape[2]) { ((it + slice) % 5).toByte() } }
            val back = Nifti.open("mask.nii.gz", source.ofMasks(labels)).single()
            assertTrue(back.isBytes && back.grid.sameAs(source.grid))
            assertArrayEquals(source.grid.axes, back.grid.axes)
            labels.forEachIndexed { slice, wanted -> assertArrayEquals(wanted, GreyRange(back).plane(slice)) }
        }
    }

    @Test
    fun `files that do not fit are told, each with what to do`() {
        val (packed, plain) = files
        refused("no NIfTI file", "flair.nii" to "hello, this is not a volume".toByteArray())
        refused("cut short", packed.first to packed.second.copyOf(packed.second.size / 2), plain)
        refused("cut short", packed, plain.first to plain.second.copyOf(plain.second.size - 1))
        refused("'t2' by its name", packed)
        refused("both seem to be", packed, "flair_2.nii" to plain.second, plain)
        refused("does not overlap", packed, plain.first to plain.second.copyOf().also { it[295] = 0x43 })
        refused("no grey values", packed, plain.first to plain.second.copyOf().also { it[70] = 32 })
        refused("one value everywhere", packed, plain.first to plain.second.copyOf().also { it.fill(0, 352) })
    }

    @Test
    fun `names say which channel a file holds`() {
        val lgg = Contract.SLICE_CHANNELS
        val found = listOf("Sub01_T1.nii", "Sub01_FLAIR.nii.gz", "a_T1_post.nii", "t1ce.nii", "x_0002.nii.gz", "seg.nii").map { Recognised.channel(it, lgg) }
        assertEquals(listOf("pre", "flair", "post", "post", "post", null), found)
        assertEquals(listOf("t1c", "t2w"), listOf("BraTS-01-t1c.nii.gz", "BraTS-01-t2w.nii.gz").map { Recognised.channel(it, listOf("t1n", "t1c", "t2f", "t2w")) })
        assertNull(Recognised.channel("other.nii", lgg))
    }
}
