package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** The field `trust` of a contract: what is read of it, and what is refused with which words. */
class TrustContractTest {
    private val text = Engine(Files.bundle().modelBytes(), Files.int8Options()).use { it.contract.text }

    private fun parsed(trust: String) = Contract.parse(Trusted.line(text, trust))

    private fun refused(says: String, trust: String) {
        val error = assertThrows(ContractException::class.java) { parsed(trust) }
        assertTrue(error.message, says in error.message!!)
    }

    private fun refused(says: String, from: String, to: String) {
        assertTrue(from, from in Trusted.OUTPUT)
        refused(says, "{\"output\":${Trusted.OUTPUT.replaceFirst(from, to)}}")
    }

    @Test
    fun `it is read, alone or beside what it says of the input`() {
        val output = parsed("{\"output\":${Trusted.OUTPUT}}").trust!!.output!!
        assertEquals(listOf(0.3, 0.5, 0.85), output.run { listOf(low, middle, high) })
        assertEquals(listOf(TrustFeature(OutputTrust.BORDER, -1.7, 0.04), TrustFeature(OutputTrust.NEIGHBOURS, 0.75, 0.77)), output.features)
        assertEquals(88 to "kaggle-lgg", output.patients to output.data)
        assertEquals(output, parsed("{\"output\":${Trusted.OUTPUT},\"input\":{\"any\":1}}").trust!!.output)
        assertNull(parsed("{\"input\":{\"any\":1}}").trust!!.output)
        assertNull(parsed("null").trust)
    }

    @Test
    fun `what cannot be honoured is refused`() {
        refused("$.trust: holds nothing", "{}")
        refused("$.trust: unknown key 'more'", "{\"output\":${Trusted.OUTPUT},\"more\":1}")
        refused("$.trust.output: unknown key 'lower'", "\"low\":0.3", "\"low\":0.3,\"lower\":1")
        refused("$.trust.output: missing key 'slope'", "\"slope\":0.4,", "")
        refused("low 0.5, middle 0.5 and high 0.85; probabilities between 0 and 1 in this order", "\"low\":0.3", "\"low\":0.5")
        refused("high 1.0", "\"high\":0.85", "\"high\":1")
        refused("at least one is needed, each once", "neighbours", "log_unsure_border")
        refused("'luck'; log_unsure_border, neighbours are known", "neighbours", "luck")
        refused("at least one is needed", Regex("\\[.*\\]").find(Trusted.OUTPUT)!!.value, "[]")
        refused("out of range", "-1.7", "-2e9")
        refused("look_below, coverage or threshold", "\"coverage\":0.9", "\"coverage\":1.0")
        refused("too small", "\"volume_low\":2.2", "\"volume_low\":-1")
        refused("88 patients in 89 groups", "\"groups\":5", "\"groups\":89")
        val several = Engine(File("../tests/golden/classes/overlapping.onnx").readBytes()).use { it.contract.text }
        val error = assertThrows(ContractException::class.java) { Contract.parse(Trusted.line(several, "{\"output\":${Trusted.OUTPUT}}")) }
        assertTrue(error.message, "for a network of one mask, and there are regions" in error.message!!)
    }
}
