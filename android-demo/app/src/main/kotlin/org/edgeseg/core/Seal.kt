package org.edgeseg.core

/** The digests by which a contract is held to its own text and to the file around it: docs/reference/contract.md, "Digests". */
object Seal {
    private val BLANK = "0".repeat(64)

    /**
     * Holds a model to the digests of its contract; one that was not sealed passes.
     *
     * @param text the contract as the file holds it, with the spaces at its end.
     * @throws ContractException when the contract's text is not what was sealed, or cannot be found in the file.
     * @throws ArtifactException when the rest of the file is not.
     */
    fun check(model: ByteArray, text: String, contract: Contract) {
        val own = contract.contractSha256
        if (own != null && digest(text, own) != own) {
            throw ContractException(
                "The model's contract was changed after it was sealed (its SHA-256 is not the one it names), so it cannot be relied on. " +
                    "Copy the file again.",
            )
        }
        val content = contract.contentSha256 ?: return
        val line = text.encodeToByteArray()
        val start = places(model, line).singleOrNull() ?: throw ContractException(
            "The model was written anew after it was sealed, so it cannot be held to its contract's digest. Copy it again.",
        )
        val around = sha256(model.copyOfRange(0, start), model.copyOfRange(start + line.size, model.size))
        if (around != content) {
            throw ArtifactException(
                "The model's graph or weights are not those that its contract was sealed with (SHA-256 ${around.take(SHOWN)}..., not " +
                    "${content.take(SHOWN)}...): the file is damaged, or the contract is another model's. Copy it again.",
            )
        }
    }

    /** The digest of a contract's text in which [stated] stands as its digest. */
    fun digest(text: String, stated: String): String = sha256(text.replaceFirst(field(stated), field(BLANK)).encodeToByteArray())

    private fun field(digest: String) = "\"contract_sha256\":\"$digest\""

    /** Where [line] begins in [model]; two places at most are looked for. */
    private fun places(model: ByteArray, line: ByteArray): List<Int> =
        (0..model.size - line.size).asSequence().filter { at -> line.indices.all { model[at + it] == line[it] } }.take(2).toList()

    private const val SHOWN = 12
}
