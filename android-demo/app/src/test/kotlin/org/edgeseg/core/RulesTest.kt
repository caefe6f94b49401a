package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

class RulesTest {
    private fun mask(vararg rows: String) = BooleanArray(rows.sumOf { it.length }) { rows.joinToString("")[it] == '#' }

    @Test
    fun `corners join within a slice, and slices only in a volume`() {
        val two = mask("#..", ".#.", "...") + mask("...", "..#", "...")
        assertEquals(listOf(2, 1), Components.find(two, 2, 3, 3, volume = false).sizes.toList())
        assertEquals(listOf(3), Components.find(two, 2, 3, 3, volume = true).sizes.toList())
        val apart = mask("#..", "...", "...") + mask("...", "...", "...") + mask("#..", "...", "...")
        assertEquals(2, Components.find(apart, 3, 3, 3, volume = true).sizes.size)
    }

    @Test
    fun `a component that bends back is one`() {
        assertEquals(1, Components.find(mask("#.#", "#.#", ".#."), 1, 3, 3, volume = false).sizes.size)
    }

    @Test
    fun `run lengths go both ways of empty and full`() {
        assertArrayEquals(mask(".....###", "#......."), Runs.decode("5 4", 16))
        assertArrayEquals(mask("##.."), Runs.decode("0 2", 4))
        assertArrayEquals(mask("...."), Runs.decode("", 4))
        assertThrows(JsonException::class.java) { Runs.decode("3 9", 4) }
        assertThrows(JsonException::class.java) { Runs.decode("a", 4) }
    }

    @Test
    fun `a plane is stretched to its 99th percentile, and black stays black`() {
        val plane = ByteArray(200) { if (it < 100) 0 else if (it < 199) 100 else 200.toByte() }
        Preparer.stretch(plane)
        assertEquals(listOf(0, 255, 255), listOf(plane[0], plane[100], plane[199]).map { it.toInt() and 0xff })
        val black = ByteArray(9)
        Preparer.stretch(black)
        assertTrue(black.all { it == 0.toByte() })
    }

    @Test
    fun `slices are ordered by their numbers, and a gap is told`() {
        assertEquals(listOf("a_2.png", "a_10.png"), listOf("a_10.png", "a_2.png").sortedWith(Names.natural))
        Names.requireNoGap(listOf("a_1.png", "a_2.png", "a_3.png"))
        Names.requireNoGap(listOf("left.png", "right.png"))
        val error = assertThrows(SliceException::class.java) { Names.requireNoGap(listOf("a_1.png", "a_3.png")) }
        assertTrue(error.message, "a_2 is missing" in error.message!!)
        assertTrue(Names.isMask("x/a_1_mask.png"))
        assertFalse(Names.isMask("a_1.png"))
    }

    @Test
    fun `a run that is cancelled stops`() {
        val bundle = Files.bundle()
        Segmenter(Engine(bundle.modelBytes(), Files.int8Options())).use { segmenter ->
            val volume = bundle.volume(bundle.cases.first { it.shown })
            var done = 0
            assertThrows(CancelledException::class.java) { segmenter.segment(volume, { done >= 2 }) { done = it } }
            assertEquals(2, done)
        }
    }

    @Test
    fun `a benchmark counts its runs and speaks the schema of edgeseg bench`() {
        val bundle = Files.bundle()
        val slice = bundle.slice(bundle.cases.first(), 0)
        val run = Bench.run(bundle.modelBytes(), EngineOptions(threads = 1), slice, { false }) { _, _ -> }
        assertEquals(Bench.RUNS, run.runs)
        assertTrue(run.min <= run.p50 && run.p50 <= run.p90 && run.p90 <= run.p95 && run.p95 <= run.p99)
        val json = Bench.json(run, Device("a tablet", "a processor", "aarch64", 8, "Android 15", null), bundle.model, "1.0")
        File("target/bench.json").writeText(json)
        val cell = Json.parse(json).objects("cells").single()
        assertEquals(bundle.model.sha256, cell.text("sha256"))
        assertEquals(run.p99, cell.real("p99_ms"), 0.0)
    }

    @Test
    fun `the drawing of a golden case is Python's, byte by byte`() {
        val ellipses = listOf(listOf(512, 512, 450, 380, 60, 80, 70), listOf(430, 600, 120, 90, 90, 220, 150), listOf(300, -50, 99, 200, 10, 0, 255))
        val golden = GoldenCase(ellipses, 9, 2, "", "", "", 0, emptyList(), 1.0)
        assertEquals("a7e0347606487693570f2f46426e4aec6ec8e5703e3c4776027c21719f499fc0", sha256(Drawing.draw(golden, 40, 56)))
        assertEquals("d418fdf2f4876e0c5b4a7f16d053b091eb592f67b5a8a7b7e910d664dd83250e", sha256(Drawing.draw(golden, 256, 256)))
    }

    @Test
    fun `the core knows nothing of Android`() {
        val sources = File("app/src/main/kotlin/org/edgeseg/core").listFiles()!!
        assertTrue(sources.size > 5)
        for (source in sources) assertFalse(source.name, Regex("\\bandroid\\.").containsMatchIn(source.readText().replace("java.lang", "")))
    }
}
