package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** Key `inputs` of `tests/golden/units.json`: what is counted on slices, what they look like, and what is odd, as in Python. */
class InputVectorsTest {
    private val vectors = Json.parse(File("../tests/golden/units.json").readText()).objects("inputs")

    /** The bytes of each slice, plane after plane. */
    private fun planes(vector: JsonObject): List<ByteArray> {
        val channels = vector.texts("channels").size
        return vector.wholeLists("slices").map { slice ->
            val grid = slice.size / channels
            ByteArray(slice.size) { slice[it % grid * channels + it / grid].toByte() }
        }
    }

    private fun tally(vector: JsonObject) = InputTally(vector.texts("channels").size).also { tally ->
        val planes = planes(vector)
        for (index in InputTally.lookedAt(planes.size)) tally.add(planes[index], vector.whole("height"), vector.whole("width"))
    }

    private fun near(what: String, wanted: List<Double>, found: List<Double>) {
        assertEquals(what, wanted.size, found.size)
        for ((at, value) in wanted.withIndex()) assertEquals("$what $at", value, found[at], 1e-9 * maxOf(1.0, Math.abs(value)))
    }

    @Test
    fun `what is counted, what it looks like and what is odd are Python's`() {
        val kinds = HashSet<String>()
        vectors.forEachIndexed { number, vector ->
            assertEquals("$number", vector.wholes("looked_at"), InputTally.lookedAt(vector.wholeLists("slices").size))
            val (tally, channels) = tally(vector) to vector.texts("channels")
            val look = vector.objOrNull("look")?.let(InputReader::read)
            val features = InputFeatures.of(tally)
            near("$number feature", vector.reals("features"), features.orEmpty())
            if (features != null) assertEquals("$number", InputFeatures.count(channels.size), features.size)
            if (features != null && look != null) near("$number score", vector.reals("scores"), Oddity.scores(features, look))
            val odd = Oddity.of(tally, look, channels)
            assertEquals("$number", vector.text("kind"), odd?.kind.orEmpty())
            assertEquals("$number", vector.texts("told_channels"), odd?.channels.orEmpty())
            kinds += vector.text("kind")
        }
        assertEquals(setOf("", "swapped", "copied", "missing", "too-small", "marked", "empty"), kinds)
        assertTrue(vectors.any { it.wholes("looked_at").size < it.wholeLists("slices").size })
    }

    @Test
    fun `without a look only what is certain is told`() {
        fun told(kind: String) = vectors.first { it.text("kind") == kind }.let { Oddity.of(tally(it), null, it.texts("channels"))?.kind }
        assertNull(told("too-small"))
        assertNull(told("empty"))
        assertEquals("copied", told("copied"))
        assertEquals("missing", told("missing"))
    }

    @Test
    fun `at most twelve slices are looked at, from the first to the last`() {
        for (count in listOf(1, 2, 11, 12, 13, 155)) {
            val found = InputTally.lookedAt(count)
            assertEquals(listOf(0, count - 1, minOf(count, 12)), listOf(found.first(), found.last(), found.toSet().size))
        }
    }

    @Test
    fun `a case is looked at while its slices run, and lone slices are told only what is certain`() {
        val bundle = Files.bundle()
        Segmenter(Engine(bundle.modelBytes(), Files.int8Options())).use { segmenter ->
            val case = bundle.volume(bundle.cases.first { it.shown })
            assertNull(segmenter.segment(case).oddity)
            val exchanged = Trusted.exchanged(case)
            assertEquals(Oddity("swapped", listOf("pre", "flair")), segmenter.segment(exchanged).oddity)
            assertNull(segmenter.segment(Volume("", exchanged.slices, null, whole = false)).oddity)
            val copied = Volume("", case.slices.map { Trusted.channels(it, 1, 1, 2) }, null, whole = false)
            assertEquals(Oddity("copied", listOf("pre", "flair")), segmenter.segment(copied).oddity)
        }
    }
}
