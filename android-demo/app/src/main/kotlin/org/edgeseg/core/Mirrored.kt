package org.edgeseg.core

/** The mirrored pass: a network that sees each slice twice, the second time with left and right exchanged. */
object Mirrored {
    /** Logits of prepared [planes] in as many passes as the contract says, mask after mask into [logits]; the mean of both. */
    fun logits(engine: Engine, planes: ByteArray, logits: FloatArray, tables: Array<FloatArray>? = null) {
        engine.logits(planes, logits, tables)
        if (engine.contract.passes == 1) return
        val width = engine.contract.width
        val turned = FloatArray(logits.size)
        engine.logits(ByteArray(planes.size) { planes[across(it, width)] }, turned, tables)
        for (at in logits.indices) logits[at] = (logits[at] + turned[across(at, width)]) * HALF
    }

    /** The place of a pixel's mirror image in its row. */
    private fun across(at: Int, width: Int): Int = at - at % width + width - 1 - at % width

    private const val HALF = 0.5f
}
