package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** What helps to read a picture: windows, components one by one, and a scale bar. */
class ReadingTest {
    private fun slice(height: Int, width: Int, level: (Int, Int) -> Int) =
        Slice("", height, width, ByteArray(height * width * 3) { level(it / 3 / width, it / 3 % width).toByte() })

    /** A head: fat of 240 around brain of 60 to 90, on black. */
    private fun head() = slice(80, 60) { y, x ->
        val (dy, dx) = (y - 39.5) / 36 to (x - 29.5) / 26
        val far = Math.sqrt(dy * dy + dx * dx)
        if (far > 1) 0 else if (far > 0.85) 240 else 60 + (x + y) % 31
    }

    @Test
    fun `the automatic window holds the brain and leaves out the fat of the skull`() {
        val window = Window.automatic(listOf(head(), slice(80, 60) { _, _ -> 0 }), 1)
        assertTrue("$window", window.low in 59..63)
        assertTrue("$window", window.high in 87..91)
    }

    @Test
    fun `a bright tumour within the brain stays in the window`() {
        val head = head()
        val window = Window.automatic(
            listOf(slice(80, 60) { y, x -> if (y in 40..46 && x in 30..36) 180 else head.bytes[(y * 60 + x) * 3].toInt() and 0xff }), 0,
        )
        assertTrue("$window", window.high >= 180)
    }

    @Test
    fun `a case of one level is shown whole`() {
        assertEquals(Window.WHOLE, Window.automatic(listOf(slice(4, 4) { _, _ -> 0 }), 0))
        assertEquals(Window.WHOLE, Window.automatic(listOf(slice(4, 4) { _, _ -> 200 }), 2))
        assertEquals(Window.WHOLE, Window.automatic(emptyList(), 0))
    }

    @Test
    fun `levels below a window are black, above it white, and between them even`() {
        val shades = Window(50, 100).shades()
        assertEquals(listOf(0, 0, 127, 255, 255), listOf(0, 50, 75, 100, 255).map { shades[it] })
        assertArrayEquals(IntArray(256) { it }, Window.WHOLE.shades())
    }

    @Test
    fun `a window has the level and the width that were chosen, at the ends of the levels, too`() {
        for (level in listOf(0, 3, 100, 255)) for (width in listOf(1, 50, 51, 255)) {
            assertEquals(level to width, Window.of(level, width).run { this.level to this.width })
        }
        assertEquals(1, Window.of(9, 0).width)
        assertThrows(IllegalArgumentException::class.java) { Window(9, 9) }
    }

    @Test
    fun `a scale bar is a round length`() {
        assertEquals(listOf(200, 100, 50, 20, 1), listOf(900.0, 199.9, 50.0, 49.0, 1.0).map { ScaleBar.millimetres(it) })
        assertNull(ScaleBar.millimetres(0.9))
    }

    private fun mask(text: String) = BooleanArray(text.length) { text[it] == '#' }

    private fun volume(whole: Boolean, vararg masks: String) =
        Volume("", masks.map { slice(2, 4) { _, _ -> 0 } }, null, whole) to masks.map { mask(it) }

    @Test
    fun `components of a volume come by size, with their slices and the one on which they are largest`() {
        val (volume, masks) = volume(whole = true, "#.......", "##.....#", "........", "...#####")
        val found = Findings.of(volume, listOf(Drawn(masks))).all
        assertEquals(listOf(5, 3, 1), found.map { it.pixels })
        assertEquals(listOf(Triple(3, 3, 3), Triple(0, 1, 1), Triple(1, 1, 1)), found.map { Triple(it.first, it.last, it.largest) })
    }

    @Test
    fun `slices that are no volume have components of their own`() {
        val (volume, masks) = volume(whole = false, "#.......", "##......")
        assertEquals(listOf(2, 1), Findings.of(volume, listOf(Drawn(masks))).all.map { it.pixels })
    }

    @Test
    fun `a component that is dismissed leaves its slices, and the others stay`() {
        val (volume, masks) = volume(whole = true, "#.......", "##.....#", "........", "...#####")
        val findings = Findings.of(volume, listOf(Drawn(masks)))
        assertArrayEquals(mask(".......#"), findings.mask(0, 1, setOf(1)))
        assertArrayEquals(mask("........"), findings.mask(0, 0, setOf(1)))
        assertArrayEquals(mask("##......"), findings.mask(0, 1, setOf(0, 2)))
        assertEquals(masks.map { it.toList() }, findings.drawn(emptySet()).single().masks.map { it.toList() })
        assertArrayEquals(mask("##.....#"), masks[1])
    }

    @Test
    fun `no message sends a reader to a developer's command`() {
        val sources = java.io.File("app/src/main").walk().filter { it.extension == "kt" || it.name == "strings.xml" }
        val told = sources.flatMap { file ->
            val text = file.readText().replace(Regex("(?s)/\\*\\*.*?\\*/"), "")
            Regex(if (file.extension == "kt") "\"[^\"\n]*\"" else ">[^<]*<").findAll(text).map { it.value }
        }
        assertEquals(emptyList<String>(), told.filter { Regex("edgeseg (build|run|android)|[Bb]uild (it|the model)|: make ").containsMatchIn(it) }.toList())
    }
}
