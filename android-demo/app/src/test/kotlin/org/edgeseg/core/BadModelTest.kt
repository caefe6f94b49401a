package org.edgeseg.core

import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Models that must be refused, each with a message that says why. */
class BadModelTest {
    private val model = Files.bundle().modelBytes()

    private fun changed(from: String, to: String): ByteArray {
        require(from.length == to.length)
        val text = model.toString(Charsets.ISO_8859_1)
        require(from in text)
        return text.replaceFirst(from, to).toByteArray(Charsets.ISO_8859_1)
    }

    private inline fun <reified T : EdgeSegException> refused(bytes: ByteArray, says: String) {
        val error = assertThrows(T::class.java) { Engine(bytes).close() }
        assertTrue(error.message, says in error.message!!)
    }

    @Test
    fun `a model without a contract`() = refused<ContractException>(changed("edgeseg.contract", "somebody.content"), "carries no contract")

    @Test
    fun `a model whose contract is of a newer schema`() {
        val version = Regex("\"schema_version\":(\\d)").find(model.toString(Charsets.ISO_8859_1))!!.value
        refused<ContractException>(changed(version, version.dropLast(1) + "9"), "schema 9")
    }

    @Test
    fun `a model whose contract has another input size`() = refused<ContractException>(changed("\"height\":256", "\"height\":128"), "belongs to another model")

    @Test
    fun `a contract that is not JSON`() = refused<ContractException>(changed("\"layout\"", "\"layout;"), "cannot be read")

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
