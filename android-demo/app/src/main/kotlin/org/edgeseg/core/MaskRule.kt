package org.edgeseg.core

import kotlin.math.ln

/** Which connected components are too small to keep; 0 switches a rule off. */
data class PostProcessing(val minAreaPx: Int, val minVolumePx: Int, val minShare: Double) {
    /** Whether a rule is on for volumes, or for lone slices. */
    fun applies(volume: Boolean): Boolean = if (volume) minVolumePx > 0 || minShare > 0 else minAreaPx > 0

    val possible: Boolean get() = minAreaPx >= 0 && minVolumePx >= 0 && minShare in 0.0..1.0
}

/**
 * One of the masks that a network draws, or its only one, which has no [name]. Masks may overlap.
 *
 * @property channels the output channels that it is made of.
 * @property label its value in maps of labels, where a later one is written over an earlier one.
 * @property colour RGB; null for the colour of a lone mask.
 * @property trust what the network's output tells of this mask; null where nobody measured it.
 */
data class MaskRule(
    val name: String?,
    val channels: List<Int>,
    val label: Int,
    val threshold: Double,
    val postProcessing: PostProcessing,
    val colour: Int? = null,
    val trust: OutputTrust? = null,
) {
    /** The threshold in logit space, `log(t / (1 - t))`. */
    val logitThreshold: Double get() = ln(threshold / (1.0 - threshold))

    companion object {
        /** RGB of masks that name no colour, in their order; those of `edgeseg/specs/region.py`. */
        val COLOURS = intArrayOf(0xFF3C28, 0x3CC850, 0x4682FF, 0xFFC828, 0xC850FF, 0x28D2D2, 0xFF82BE, 0xA0A05A)
    }
}

/** Masks that may overlap as one map of labels, 0 where there is none; the later one is written over the earlier ones. */
fun labelMap(masks: List<BooleanArray>, rules: List<MaskRule>): ByteArray {
    val labels = ByteArray(masks.first().size)
    for ((mask, rule) in masks.zip(rules)) for (at in mask.indices) if (mask[at]) labels[at] = rule.label.toByte()
    return labels
}
