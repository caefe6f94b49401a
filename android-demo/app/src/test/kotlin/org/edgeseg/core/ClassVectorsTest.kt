package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** `tests/golden/classes/`: small networks of other channels and several classes draw here what Python drew with them. */
class ClassVectorsTest {
    private val folder = File("../tests/golden/classes")
    private val networks = Json.parse(File(folder, "classes.json").readText()).objects("networks")

    @Test
    fun `masks of every class equal Python's in every pixel, of volumes and of lone slices`() {
        for (network in networks) Segmenter(Engine(File(folder, network.text("file")).readBytes())).use { segmenter ->
            val contract = segmenter.contract
            assertEquals(network.texts("masks"), contract.masks.mapNotNull { it.name })
            val slices = network.objects("slices").map { told ->
                val picture = Files.decode(told.text("file"), File(folder, told.text("file")).readBytes())
                Bundle.unstacked(picture, contract.given.size).also { assertEquals(told.text("pixels_sha256"), sha256(it.bytes)) }
            }
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
