package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** Contracts of other channels and several classes: what is read of them, and what is refused with which words. */
class ClassContractTest {
    private val text = Engine(File("../tests/golden/classes/overlapping.onnx").readBytes()).use { it.contract.text }.trim()

    private fun refused(says: String, from: String, to: String) {
        assertTrue("the contract does not hold $from", from in text)
        val error = assertThrows(ContractException::class.java) { Contract.parse(text.replaceFirst(from, to)) }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `masks have their names, thresholds, rules, labels and colours`() {
        val contract = Contract.parse(text.replaceFirst("\"label\":2,", "\"label\":9,").replaceFirst("\"colour\":[]", "\"colour\":[1,2,3]"))
        assertEquals(listOf("whole-tumour", "core", "enhancing"), contract.masks.map { it.name })
        assertEquals(listOf(0.5, 0.35, 0.6), contract.masks.map { it.threshold })
        assertEquals(listOf(1, 9, 3), contract.masks.map { it.label })
        assertEquals(listOf(0x010203, 0x3CC850, 0x4682FF), contract.masks.map { it.colour })
        assertEquals(PostProcessing(0, 6, 0.3), contract.masks[0].postProcessing)
        assertEquals(listOf("pre", "flair", "post", "t2"), contract.given)
        assertEquals("pre", contract.reference)
        assertEquals(null, contract.missing)
    }

    @Test
    fun `channels of LGG are those of its pictures, whichever of them a network takes`() {
        val contract = Engine(Files.bundle().modelBytes(), Files.int8Options()).use { it.contract }
        val one = contract.copy(channels = listOf("flair"))
        assertEquals(Contract.SLICE_CHANNELS to "flair", one.given to one.reference)
        assertEquals(listOf("ct"), contract.copy(channels = listOf("ct")).given)
        assertEquals("t2", contract.copy(channels = listOf("t1", "t2"), referenceChannel = "t2").reference)
    }

    @Test
    fun `what the app cannot do is said, and where to go with it`() {
        refused("This app cannot run the model: it takes sagittal slices", "\"regions\":", "\"plane\":\"sagittal\",\"regions\":")
        val nine = List(9) { "\"c$it\"" }.joinToString(",")
        refused("9 channels, and the app reads at most 8", "\"pre\",\"flair\",\"post\",\"t2\"", nine)
    }

    @Test
    fun `classes and regions that do not fit are refused`() {
        refused("each needs a name of its own", "\"pre\",\"flair\"", "\"pre\",\"pre\"")
        refused("each of several channels needs a name of its own", "\"classes\":[\"whole-tumour\",\"core\"", "\"classes\":[\"core\",\"core\"")
        refused("classes name 3", "\"channels\":[2]", "\"channels\":[3]")
        refused("a name and a label of its own", "\"label\":2", "\"label\":1")
        refused("1 to 255 is needed", "\"label\":3", "\"label\":256")
        refused("threshold of region 'core'", "\"threshold\":0.35", "\"threshold\":1.0")
        refused("out of range", "\"min_share\":0.3", "\"min_share\":1.5")
        refused("foreground is for one mask", "\"regions\":", "\"foreground\":[1],\"regions\":")
        refused("logits, probabilities or softmax", "\"regions\":", "\"output\":\"votes\",\"regions\":")
        refused("expected 3 bytes", "\"colour\":[]", "\"colour\":[1,2]")
        refused("unknown key 'colours'", "\"colour\":[]", "\"colours\":[]")
        refused("none of the channels", "\"regions\":", "\"reference_channel\":\"ct\",\"regions\":")
    }
}
