package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Models that must be refused, each with a message that says why. */
class BadModelTest {
    private val model = Files.bundle().modelBytes()

    private fun changed(from: String, to: String): ByteArray = Files.sealed(Files.replaced(model, from, to))

    private inline fun <reified T : EdgeSegException> refused(bytes: ByteArray, says: String) {
        val error = assertThrows(T::class.java) { Engine(bytes).close() }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `a model without a contract`() = refused<ContractException>(Files.replaced(model, "edgeseg.contract", "somebody.content"), "carries no contract")

    @Test
    fun `a model whose contract is of a newer schema`() {
        val version = Regex("\"schema_version\":(\\d)").find(model.toString(Charsets.ISO_8859_1))!!.value
        refused<ContractException>(changed(version, version.dropLast(1) + "9"), "schema 9")
    }

    @Test
    fun `a model whose contract has another input size`() = refused<ContractException>(changed("\"height\":256", "\"height\":128"), "belongs to another model")

    @Test
    fun `a contract with one character changed after it was sealed`() =
        refused<ContractException>(Files.replaced(model, "\"min_area_px\":40", "\"min_area_px\":41"), "changed after it was sealed")

    @Test
    fun `a contract with one space changed after it was sealed`() =
        refused<ContractException>(Files.replaced(model, "}  ", "} \t"), "changed after it was sealed")

    @Test
    fun `weights with one bit changed`() {
        // a bit in the longest tensor, far from names and shapes
        val bytes = model.copyOf().also { it[it.size / 2] = (it[it.size / 2].toInt() xor 1).toByte() }
        refused<ArtifactException>(bytes, "graph or weights are not those")
    }

    @Test
    fun `the contract of another model`() {
        val content = Regex("\"content_sha256\":\"[0-9a-f]{64}\"").find(model.toString(Charsets.ISO_8859_1))!!.value
        refused<ArtifactException>(changed(content, "\"content_sha256\":\"${"a".repeat(64)}\""), "contract is another model's")
    }

    @Test
    fun `a model that was not sealed passes, as it does in Python`() {
        val text = model.toString(Charsets.ISO_8859_1)
        val digests = Regex("\"content_sha256\":\"[0-9a-f]{64}\",\"contract_sha256\":\"[0-9a-f]{64}\"").find(text)!!.value
        val none = "\"content_sha256\":null,\"contract_sha256\":null"
        Engine(Files.replaced(model, digests, none.padEnd(digests.length))).use { assertEquals(null, it.contract.contentSha256) }
    }

    @Test
    fun `a network shaped level by level is read and named`() {
        val text = Regex("\\{\"variant\":[^\u0000-\u001f]*\\}").find(model.toString(Charsets.ISO_8859_1))!!.value
        val unsealed = text.replace(Regex("(_sha256\":)\"[0-9a-f]{64}\"(,\"contract_sha256\":)\"[0-9a-f]{64}\""), "$1null$2null")
        val shaped = unsealed.replace("\"widths\":[]", "\"widths\":[],\"levels\":[8,16,32],\"convolutions\":[1,1,2]")
        assertEquals("alphax-0.125-half-8.16.32-c112", Contract.parse(shaped).variant)
    }

    @Test
    fun `a golden mask without its digest`() {
        val bytes = changed("\"mask_runs\":\"1", "\"mask_runs\":\"2")
        val error = assertThrows(ContractException::class.java) { Segmenter(Engine(bytes)).use { it.selfTest() } }
        assertTrue(error.message, "digest beside it" in error.message!!)
    }

    private fun refusedInRun(bytes: ByteArray, says: String) = Segmenter(Engine(bytes)).use { segmenter ->
        val error = assertThrows(ContractException::class.java) { segmenter.segment(Files.bundle().run { volume(cases.first { it.shown }) }) }
        assertTrue(error.message, says in error.message!!)
    }

    /** The contract's text with `output` in it, in the place of some of the spaces behind it. */
    private fun gives(output: String): ByteArray {
        val first = "\"float_layers\":[]"
        val end = model.toString(Charsets.ISO_8859_1).substringAfter(first).substringBefore(" ".repeat(40)) + " ".repeat(40)
        return changed(first + end, ("$first,\"output\":\"$output\"" + end.trimEnd()).padEnd((first + end).length))
    }

    @Test
    fun `a model that says it gives probabilities, and gives others`() =
        refusedInRun(gives("probabilities"), "gives probabilities")

    @Test
    fun `a model that says it gives logits`() = Engine(gives("logits")).use { assertEquals("NCHW", it.contract.layout) }

    @Test
    fun `a contract that is not JSON`() = refused<ContractException>(Files.replaced(model, "\"layout\"", "\"layout;"), "cannot be read")

    @Test
    fun `a model that is cut short`() = refused<ArtifactException>(model.copyOf(model.size / 2), "cut short")

    @Test
    fun `a file that is no model`() = refused<ArtifactException>("hello".toByteArray(), "cut short")

    @Test
    fun `a file of the bundle that was changed`() {
        val bundle = Bundle({ file -> java.io.File(Files.assets, file).readBytes().let { if (file == "model.onnx") it.dropLast(1).toByteArray() else it }.inputStream() }, Files::decode)
        val error = assertThrows(ArtifactException::class.java) { bundle.modelBytes() }
        assertTrue(error.message, "damaged" in error.message!!)
    }
}
