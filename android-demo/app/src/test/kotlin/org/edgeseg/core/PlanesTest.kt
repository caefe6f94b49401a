package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** A volume seen in other planes, and pictures put together to slices. */
class PlanesTest {
    private fun slice(number: Int) = Slice("", 3, 4, ByteArray(24) { (number * 24 + it).toByte() }, 2)

    private val volume = Volume("", List(2) { slice(it) }, null, whole = true)

    @Test
    fun `every pixel of every plane is the voxel it says it is`() {
        for (plane in Plane.entries) {
            val section = Section(volume, plane)
            assertEquals(mapOf(Plane.AXIAL to 2, Plane.CORONAL to 3, Plane.SAGITTAL to 4)[plane], section.count)
            for (index in 0 until section.count) {
                val picture = section.slice(index)
                for (y in 0 until picture.height) for (x in 0 until picture.width) {
                    val voxel = section.voxel(index, x, y)
                    assertEquals(index to (x to y), section.index(voxel) to section.pixel(voxel))
                    for (channel in 0..1) assertEquals(volume.slices[voxel.slice].level(voxel.row * 4 + voxel.column, channel), picture.level(y * picture.width + x, channel))
                }
            }
        }
    }

    @Test
    fun `the head is at the top, and masks are counted as they are shown`() {
        val masks = List(2) { slice -> BooleanArray(12) { slice == 1 && it == 6 } }
        val sagittal = Section(volume, Plane.SAGITTAL)
        assertEquals(listOf(0, 0, 1, 0), sagittal.areas(masks))
        assertEquals(listOf(1), sagittal.mask(masks, 2).indices.filter { sagittal.mask(masks, 2)[it] })
        for (plane in Plane.entries) Section(volume, plane).run { assertEquals(areas(masks), (0 until count).map { index -> mask(masks, index).count { it } }) }
        assertEquals(5.0 to 2.0, Section(volume, Plane.SAGITTAL).pixelMm(Spacing(5.0, 2.0, 1.0)))
    }

    @Test
    fun `a slice of four channels is four grey pictures, named by channel or by number`() {
        val files = ChannelFiles(listOf("t1n", "t1c", "t2f", "t2w"))
        val named = files.group(listOf("a_1_t1n.png", "a_1_T2W.png", "a_1_t1c.png", "a_1_t2f.png", "a_2_0000.png", "a_2_0001.png", "a_2_0002.png", "a_2_0003.png"))
        assertEquals(listOf("a_1", "a_2"), named.map { it.name })
        assertEquals(listOf("a_1_t1n.png", "a_1_t1c.png", "a_1_t2f.png", "a_1_T2W.png"), named[0].files)
        val pictures = List(4) { Slice("", 1, 2, ByteArray(6) { at -> (it * 10 + at / 3).toByte() }) }
        assertEquals(listOf(0, 10, 20, 30, 1, 11, 21, 31), files.slice(named[0], pictures).bytes.map { it.toInt() })
    }

    @Test
    fun `pictures that are not those of the channels are told`() {
        val four = ChannelFiles(listOf("t1n", "t1c", "t2f", "t2w"))
        fun says(what: String, work: () -> Unit) = assertThrows(SliceException::class.java) { work() }.let { assertTrue(it.message, what in it.message!!) }
        says("does not say which channel") { four.group(listOf("a_1.png")) }
        says("no picture of 't2w'") { four.group(listOf("a_0000.png", "a_0001.png", "a_0002.png")) }
        val grey = ChannelFiles(listOf("t2"))
        says("is in colour") { grey.slice(grey.group(listOf("a.png")).single(), listOf(Slice("a.png", 1, 1, byteArrayOf(1, 2, 3)))) }
        assertEquals(listOf<Byte>(7), grey.slice(grey.group(listOf("a.png")).single(), listOf(Slice("a.png", 1, 1, byteArrayOf(7, 7, 7)))).bytes.toList())
    }
}
