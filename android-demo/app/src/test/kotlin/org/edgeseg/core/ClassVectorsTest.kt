package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** `tests/golden/classes/`: small networks of other channels and several classes draw here what Python drew with them. */
class ClassVectorsTest {
    private val folder = File("../tests/golden/classes")
    private val networks = Json.parse(File(folder, "classes.json").readText()).objects("networks")

    private fun slices(network: JsonObject, contract: Contract) = network.objects("slices").map { told ->
        val picture = Files.decode(told.text("file"), File(folder, told.text("file")).readBytes())
        Bundle.unstacked(picture, contract.given.size).also { assertEquals(told.text("pixels_sha256"), sha256(it.bytes)) }
    }

    @Test
    fun `masks of every class equal Python's in every pixel, of volumes and of lone slices`() {
        for (network in networks) Segmenter(Engine(File(folder, network.text("file")).readBytes())).use { segmenter ->
            val contract = segmenter.contract
            assertEquals(network.texts("masks"), contract.masks.mapNotNull { it.name })
            val slices = slices(network, contract)
            for ((kind, whole) in listOf("lone_slices" to false, "volume" to true)) {
                val found = segmenter.segment(Volume("", slices, null, whole))
                val flips = network.objects(kind).mapIndexed { slice, told ->
                    Runs.flips(Runs.decode(told.text("runs"), told.whole("height") * told.whole("width")), found.of(slice).reduce { all, one -> all + one })
                }
                assertEquals("${network.text("file")} $kind", slices.map { 0 }, flips)
                assertTrue(found.classes.all { it.total > 0 })
            }
        }
    }

    @Test
    fun `the logits of each mask of a volume are counted as in Python, and told of each and of all`() {
        val rated = Files.withoutNulls(File(folder, "classes.json"), "[]").objects("networks").filter { it.has("trust_counts") }
        assertEquals(listOf("overlapping.onnx"), rated.map { it.text("file") })
        for (network in rated) Segmenter(Engine(File(folder, network.text("file")).readBytes())).use { segmenter ->
            val (rules, width) = segmenter.contract.run { masks to width }
            val volume = Volume("", slices(network, segmenter.contract), null, whole = true)
            val (tallies, tables) = MaskTallies(rules) to segmenter.tables(volume)
            val grid = width * segmenter.contract.height
            for (slice in volume.slices) segmenter.logits(slice, tables = tables).let { all -> tallies.add(rules.indices.map { all.copyOfRange(it * grid, (it + 1) * grid) }, width) }
            val wanted = network.wholeLists("trust_counts").map { counts -> counts.map { it.toLong() } }
            assertEquals(wanted, tallies.counts.map { one -> one?.run { listOf(low, middle, high, border, shared, paired) }.orEmpty() })
            val doubt = segmenter.segment(volume).doubt!!
            assertEquals(tallies.verdicts, doubt.masks)
            assertEquals(Verdict.joined(rules.map { it.name!! }.zip(tallies.verdicts)), doubt.verdict)
            assertEquals("enhancing", doubt.verdict!!.because!!.mask)
            assertTrue(doubt.unsure.size == volume.slices.size && doubt.unsure.any { one -> one.any { it } })
            assertNull(segmenter.segment(Volume("", volume.slices, null, whole = false)).doubt)
        }
    }

    @Test
    fun `their golden cases pass, and fail for another threshold`() {
        val tried = networks.map { File(folder, it.text("file")).readBytes() }.filter { model -> Engine(model).use { it.contract.golden != null } }
        assertTrue(tried.size >= 3)
        for (model in tried) Segmenter(Engine(model)).use { segmenter ->
            assertEquals(0, segmenter.selfTest()!!.flips)
            assertTrue(segmenter.selfTest()!!.passed)
        }
        val grey = File(folder, "grey.onnx").readBytes()
        val other = Files.sealed(Files.replaced(grey, "\"threshold\":0.4", "\"threshold\":0.9"))
        Segmenter(Engine(other)).use { assertTrue(!it.selfTest()!!.passed) }
    }

    @Test
    fun `a map of labels holds the later of two masks`() {
        val rules = listOf(MaskRule("a", listOf(0), 7, 0.5, PostProcessing(0, 0, 0.0)), MaskRule("b", listOf(1), 2, 0.5, PostProcessing(0, 0, 0.0)))
        val labels = labelMap(listOf(booleanArrayOf(true, true, false), booleanArrayOf(false, true, false)), rules)
        assertEquals(listOf<Byte>(7, 2, 0), labels.toList())
    }
}
