package org.edgeseg.core

import kotlin.math.exp
import kotlin.math.ln

/** A feature as it is in a volume, and as it usually is. */
data class Reason(val feature: String, val value: Double, val typical: Double)

/**
 * What the network's output tells of its mask of one volume.
 *
 * @property expectedDice in (0, 1); null where nothing was found, and so are both factors.
 * @property look whether a person should look at this one first.
 * @property because the feature that speaks against it; null where none does, or where nothing was found.
 * @property lowFactor what a volume is multiplied by for the lower end of its interval; [highFactor] for the upper.
 */
data class Verdict(val expectedDice: Double?, val look: Boolean, val because: Reason?, val lowFactor: Double?, val highFactor: Double?) {
    /** Between what a volume lies, in its unit; null where nothing was found. */
    fun interval(volume: Double): Pair<Double, Double>? = if (lowFactor == null || highFactor == null) null else volume * lowFactor to volume * highFactor

    companion object {
        private const val END = 50.0

        /** Tells what a volume's counts mean to a contract's numbers: `edgeseg/trust/judge.py`, step by step. */
        fun of(counts: OutputCounts, trust: OutputTrust): Verdict {
            val values = counts.features() ?: return Verdict(null, look = true, because = null, lowFactor = null, highFactor = null)
            fun part(one: TrustFeature) = one.weight * (values.getValue(one.name) - one.typical)
            val score = trust.features.fold(trust.intercept) { sum, one -> sum + part(one) }
            val expected = 1.0 / (1.0 + exp(-score.coerceIn(-END, END)))
            val look = score < ln(trust.lookBelow / (1.0 - trust.lookBelow))
            val worst = trust.features.minBy(::part)
            val apart = 1.0 - expected
            return Verdict(
                expectedDice = expected,
                look = look,
                because = if (look) Reason(worst.name, values.getValue(worst.name), worst.typical) else null,
                lowFactor = maxOf(0.0, 1.0 - trust.volumeLow * apart),
                highFactor = 1.0 + trust.volumeHigh * apart,
            )
        }
    }
}

/** How far the mask of a volume is to be believed, and where on each slice the network is unsure. */
class Doubt(val verdict: Verdict, val unsure: List<BooleanArray>)
