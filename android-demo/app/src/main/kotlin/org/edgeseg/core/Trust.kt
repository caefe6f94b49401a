package org.edgeseg.core

/** One feature's part in the logit of the expected Dice: `weight * (value - typical)`. */
data class TrustFeature(val name: String, val weight: Double, val typical: Double)

/**
 * What the network's output tells of its mask of a volume, or of one of its masks.
 *
 * @property low the probability above which a pixel might be tumour; [middle] that whose mask has the border, and [high] that
 * above which a pixel surely is.
 * @property lookBelow the expected Dice below which a volume is to be looked at.
 * @property volumeLow half width of the volume's interval, in units of 1 less the expected Dice; [volumeHigh] likewise upwards.
 * @property coverage the share of patients whose volume lies in the interval.
 * @property slope what makes calibrated probabilities of logits: `slope * logit + offset`.
 */
data class OutputTrust(
    val low: Double,
    val middle: Double,
    val high: Double,
    val intercept: Double,
    val features: List<TrustFeature>,
    val lookBelow: Double,
    val volumeLow: Double,
    val volumeHigh: Double,
    val coverage: Double,
    val slope: Double,
    val offset: Double,
    val threshold: Double,
    val patients: Int,
    val groups: Int,
    val network: String,
    val data: String,
) {
    companion object {
        const val BORDER = "log_unsure_border"
        const val NEIGHBOURS = "neighbours"

        /** What is measured on the logits of a volume: [OutputCounts.features]. */
        val FEATURES = listOf(BORDER, NEIGHBOURS)
    }
}

/** What tells that a mask may be wrong, from what the network gave and from what it was given. */
class Trust(val output: OutputTrust?, val input: InputLook?)
