package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** Key `trust` of `tests/golden/units.json`: what is counted on logits, and what it means, as in Python. */
class TrustVectorsTest {
    private val vectors = Json.parse(File("../tests/golden/units.json").readText()).objects("trust")

    private fun trust(vector: JsonObject) = TrustReader.output(vector.obj("trust"))

    private fun slices(vector: JsonObject): List<FloatArray> = vector.realLists("slices").map { slice -> FloatArray(slice.size) { slice[it].toFloat() } }

    private fun counted(vector: JsonObject): OutputCounts =
        OutputTally(trust(vector)).also { tally -> slices(vector).forEach { tally.add(it, vector.whole("width")) } }.counts

    private fun near(what: String, wanted: Double?, found: Double?) {
        if (wanted == null || found == null) return assertEquals(what, wanted, found)
        assertEquals(what, wanted, found, 1e-12 * maxOf(1.0, Math.abs(wanted)))
    }

    private fun JsonObject.realOrNull(name: String): Double? = runCatching { real(name) }.getOrNull()

    @Test
    fun `counts, features and what they mean are Python's`() {
        assertTrue(vectors.size >= 5)
        vectors.forEachIndexed { number, vector ->
            val counts = counted(vector)
            assertEquals("$number", vector.wholes("counts").map { it.toLong() }, counts.run { listOf(low, middle, high, border, shared, paired) })
            val features = counts.features().orEmpty()
            val wanted = vector.obj("features")
            assertEquals("$number", wanted.names, features.keys)
            for ((name, value) in features) near("$number $name", wanted.real(name), value)
            val verdict = Verdict.of(counts, trust(vector))
            assertEquals("$number", vector.flag("look"), verdict.look)
            val because = verdict.because?.feature ?: if (verdict.expectedDice == null) "nothing-found" else ""
            assertEquals("$number", vector.text("because"), because)
            near("$number", vector.realOrNull("dice_expected"), verdict.expectedDice)
            near("$number", vector.realOrNull("low_factor"), verdict.lowFactor)
            near("$number", vector.realOrNull("high_factor"), verdict.highFactor)
            near("$number", vector.realOrNull("low_factor")?.times(42), verdict.interval(42.0)?.first)
        }
    }

    @Test
    fun `what several masks say together is Python's`() {
        val told = vectors.map { Verdict.of(counted(it), trust(it)) }
        val together = Files.withoutNulls(File("../tests/golden/units.json"), "-1").objects("region_trust")
        assertTrue(together.size >= 8)
        together.forEachIndexed { number, vector ->
            val joined = Verdict.joined(vector.texts("names").zip(vector.wholes("masks").map { told.getOrNull(it) }))
            near("$number", vector.realOrNull("dice_expected"), joined?.expectedDice)
            assertEquals("$number", vector.flag("look"), joined?.look ?: false)
            val because = joined?.because?.feature ?: if (joined != null && joined.expectedDice == null) "nothing-found" else ""
            assertEquals("$number", vector.text("because"), because)
            assertEquals("$number", vector.text("why").substringBefore(": ", ""), joined?.because?.mask.orEmpty())
            assertNull("$number", joined?.interval(42.0))
        }
    }

    @Test
    fun `unsure is what lies between the low and the high level`() {
        val vector = vectors[1]
        val unsure = slices(vector).sumOf { slice -> OutputTally.unsure(slice, trust(vector)).count { it } }
        assertEquals(counted(vector).run { low - high }, unsure.toLong())
    }

    @Test
    fun `a volume is counted while its slices run, before components are dropped, and lone slices are told nothing of`() {
        val bundle = Files.bundle()
        val case = bundle.cases.first { it.shown }
        Segmenter(Engine(Trusted.model(bundle.modelBytes()), Files.int8Options())).use { segmenter ->
            val volume = bundle.volume(case, segmenter.contract)
            val output = segmenter.contract.trust!!.output!!
            val tally = OutputTally(output)
            val unsure = volume.slices.map { segmenter.logits(it).also { one -> tally.add(one, segmenter.contract.width) } }.map { OutputTally.unsure(it, output).count { one -> one } }
            val found = segmenter.segment(volume)
            assertEquals(Verdict.of(tally.counts, output), found.doubt!!.verdict)
            assertEquals(unsure, found.doubt!!.unsure.map { one -> one.count { it } })
            assertTrue(unsure.sum() > 0)
            assertNull(segmenter.segment(Volume("", volume.slices, null, whole = false)).doubt)
        }
        Segmenter(Engine(bundle.modelBytes(), Files.int8Options())).use { segmenter ->
            if (segmenter.contract.trust == null) assertNull(segmenter.segment(bundle.volume(case)).doubt)
        }
    }
}
