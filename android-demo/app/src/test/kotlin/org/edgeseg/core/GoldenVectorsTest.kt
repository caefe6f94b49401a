package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** The shipped models draw here what Python drew with them: whole volumes, and slices that are resampled both ways. */
class GoldenVectorsTest {
    @Test
    fun `float masks equal Python's in every pixel`() {
        val bundle = Files.floatBundle()
        Segmenter(Engine(bundle.modelBytes())).use { segmenter ->
            for (case in bundle.cases) {
                assertEquals(case.name, 0, bundle.flips(case, segmenter.segment(bundle.volume(case))))
            }
        }
    }

    @Test
    fun `int8 masks equal those of the integer graph within the allowed flips`() {
        val bundle = Files.bundle()
        Segmenter(Engine(bundle.modelBytes(), Files.int8Options())).use { segmenter ->
            for (case in bundle.cases) {
                val found = segmenter.segment(bundle.volume(case))
                val flips = bundle.flips(case, found)
                println("${case.name}: $flips flips of ${bundle.allowed(case, segmenter.contract)} allowed (${segmenter.engine.numerics})")
                assertTrue("${case.name}: $flips flips", flips <= bundle.allowed(case, segmenter.contract))
                assertTrue("${case.name} shows something", !case.shown || found.tumourPixels > 0)
            }
        }
    }

    @Test
    fun `the self-test passes, and fails for another threshold`() {
        val bundle = Files.bundle()
        val model = bundle.modelBytes()
        Segmenter(Engine(model, Files.int8Options())).use { assertTrue(bundle.selfTest(it).passed) }
        val other = Files.sealed(Files.replaced(model, "\"threshold\":0.6", "\"threshold\":0.9"))
        Segmenter(Engine(other, Files.int8Options())).use { assertFalse(bundle.selfTest(it).passed) }
    }

    @Test
    fun `what may flip is what the contract allows on its golden case`() {
        val bundle = Files.bundle()
        Engine(bundle.modelBytes(), Files.int8Options()).use { engine ->
            val golden = engine.contract.golden!!
            assertEquals(golden.allowedFlips, engine.contract.allowedFlips(256 * 256))
            assertEquals(10 * golden.allowedFlips, engine.contract.allowedFlips(10 * 256 * 256))
            assertEquals(0, engine.contract.copy(golden = null).allowedFlips(256 * 256))
        }
    }
}
