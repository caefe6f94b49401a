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

    private val several = Engine(File("../tests/golden/classes/overlapping.onnx").readBytes()).use { it.contract.text.trim() }

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
        val both = parsed("{\"output\":${Trusted.OUTPUT},\"input\":${Trusted.INPUT}}").trust!!
        assertEquals(output, both.output)
        val (first, second) = both.input!!.signs
        assertEquals(listOf("swapped", listOf(0, 2), listOf(0, 1), listOf(0.5, -0.2), -0.5), first.run { listOf(kind, channels, on, weights, bias) })
        assertEquals("blurred" to emptyList<Int>(), second.kind to second.channels)
        assertNull(parsed("{\"input\":${Trusted.INPUT}}").trust!!.output)
        assertNull(parsed("null").trust)
    }

    private fun oddRefused(says: String, from: String, to: String) {
        assertTrue(from, from in Trusted.INPUT)
        refused(says, "{\"input\":${Trusted.INPUT.replaceFirst(from, to)}}")
    }

    @Test
    fun `what it says of the input is refused where it cannot be honoured`() {
        oddRefused("$.trust.input: unknown key 'more'", "\"data\"", "\"more\":1,\"data\"")
        oddRefused("$.trust.input: missing key 'patients'", "\"patients\":66,", "")
        oddRefused("features, typical and spread of trust.input are not as many", "[0.7,0.2]", "[0.7]")
        oddRefused("features that 3 channels do not have, or one twice", "[0,14]", "[0,88]")
        oddRefused("features that 3 channels do not have, or one twice", "[0,14]", "[0,0]")
        oddRefused("a spread of trust.input is out of range", "[0.1,0.3]", "[0.1,0]")
        oddRefused("a number of trust.input is out of range", "-0.6", "-2e9")
        oddRefused("0 patients", "66", "0")
        oddRefused("signs, on, weights and bias are not as many", "[-0.5,-0.6]", "[-0.5]")
        oddRefused("or a sign is there twice", "\"blurred\"", "\"swapped 0 2\"")
        for (sign in listOf("tilted", "swapped 0", "swapped 0 x", "swapped 0 100", "swapped")) oddRefused("'$sign' is not known", "swapped 0 2", sign)
        for (sign in listOf("swapped 0 0", "swapped 0 3")) oddRefused("the sign 'swapped' of trust.input cannot be honoured", "swapped 0 2", sign)
        oddRefused("the sign 'blurred'", "[1]]", "[2]]")
        oddRefused("the sign 'blurred'", "[0.9]", "[0.9,0.1]")
        oddRefused("the sign 'blurred'", "[1]],\"weights\":[[0.5,-0.2],[0.9]]", "[]],\"weights\":[[0.5,-0.2],[]]")
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
        refused("a value that the feature cannot have", "\"typical\":0.04", "\"typical\":20.5")
        refused("a value that the feature cannot have", "\"typical\":0.77", "\"typical\":1.1")
        refused("88 patients in 89 groups", "\"groups\":5", "\"groups\":89")
        val error = assertThrows(ContractException::class.java) { Contract.parse(Trusted.line(several, "{\"output\":${Trusted.OUTPUT}}")) }
        assertTrue(error.message, "for a network of one mask, and there are regions" in error.message!!)
    }

    @Test
    fun `each of several masks has its own, or none`() {
        val contract = Contract.parse(several)
        assertNull(contract.trust)
        assertEquals(listOf(0.7, null, 0.99), contract.masks.map { it.trust?.lookBelow })
        assertEquals(listOf(0.3, 0.5, 0.85), contract.masks.last().trust!!.run { listOf(low, middle, high) })
        val none = Contract.parse(several.replace(Regex("\"trust\":\\{.*?\\]([^\\]]*?)\\}(?=\\})"), "\"trust\":null"))
        assertEquals(listOf(null, null, null), none.masks.map { it.trust })
        val input = Contract.parse(Trusted.line(several, "{\"input\":${Trusted.INPUT}}"))
        assertEquals(contract.masks.map { it.trust }, input.masks.map { it.trust })
        val single = parsed("{\"output\":${Trusted.OUTPUT}}")
        assertEquals(listOf(single.trust!!.output), single.masks.map { it.trust })
    }

    private fun regionRefused(says: String, from: String, to: String) {
        assertTrue(from, from in several)
        val error = assertThrows(ContractException::class.java) { Contract.parse(several.replaceFirst(from, to)) }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `what a mask cannot be rated by is refused with the mask's name`() {
        val of = "trust of region 'whole-tumour'"
        regionRefused("reads 1 to 6", "\"schema_version\":6", "\"schema_version\":7")
        regionRefused("$.regions[0].trust: unknown key 'lower'", "\"low\":0.3", "\"low\":0.3,\"lower\":1")
        regionRefused("$.regions[0].trust: missing key 'slope'", "\"slope\":0.4,", "")
        regionRefused("$.regions[0].trust: expected", "\"trust\":{", "\"trust\":[],\"trusted\":{")
        for ((from, to) in listOf("\"low\":0.3" to "\"low\":0", "\"middle\":0.5" to "\"middle\":0.9", "\"high\":0.85" to "\"high\":0.5", "\"high\":0.85" to "\"high\":1")) {
            regionRefused("$of has low", from, to)
        }
        for (name in listOf("\"look_below\":0.7", "\"coverage\":0.9")) for (value in listOf("0", "1", "-1")) {
            regionRefused("look_below, coverage or threshold of $of", name, name.substringBefore(':') + ":$value")
        }
        for ((from, to) in listOf("\"volume_low\":2.2" to "-0.1", "\"volume_high\":1.1" to "-0.1", "\"slope\":0.4" to "0")) {
            regionRefused("volume_low, volume_high or slope of $of", from, from.substringBefore(':') + ":$to")
        }
        for (from in listOf("\"intercept\":1.9", "\"weight\":-1.75", "\"offset\":-0.6", "\"volume_high\":1.1")) {
            regionRefused("a number of $of is out of range", from, from.substringBefore(':') + ":1e999")
        }
        regionRefused("typical of a feature of $of", "\"typical\":0.57", "\"typical\":-20.5")
        regionRefused("typical of a feature of $of", "\"typical\":0.77", "\"typical\":-0.1")
        regionRefused("features of $of are [log_unsure_border, log_unsure_border]", "neighbours", "log_unsure_border")
        regionRefused("'luck'; log_unsure_border, neighbours are known", "neighbours", "luck")
        regionRefused("$of has 88 patients in 0 groups", "\"groups\":5", "\"groups\":0")
        regionRefused("of trust of region 'enhancing' is not between 0 and 1", "\"look_below\":0.99", "\"look_below\":1.0")
    }
}
