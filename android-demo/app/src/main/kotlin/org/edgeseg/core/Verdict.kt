package org.edgeseg.core

import kotlin.math.exp
import kotlin.math.ln

/** A feature as it is in a volume, and as it usually is; [mask] names the one of several masks that it is of. */
data class Reason(val feature: String, val value: Double, val typical: Double, val mask: String? = null)

/**
 * What the network's output tells of its mask of one volume, or of all its masks together.
 *
 * @property expectedDice in (0, 1); null where nothing was found.
 * @property look whether a person should look at this one first.
 * @property because the feature that speaks against it; null where none does, or where nothing was found.
 * @property lowFactor what a volume is multiplied by for the lower end of its interval, [highFactor] for the upper; null where
 * nothing was found, and of several masks together.
 */
data class Verdict(val expectedDice: Double?, val look: Boolean, val because: Reason?, val lowFactor: Double?, val highFactor: Double?) {
    /** Between what a volume lies, in its unit; null where there are no factors. */
    fun interval(volume: Double): Pair<Double, Double>? = if (lowFactor == null || highFactor == null) null else volume * lowFactor to volume * highFactor

    companion object {
        private const val END = 50.0
        private val NOTHING = Verdict(null, look = true, because = null, lowFactor = null, highFactor = null)

        /** Tells what a volume's counts mean to a contract's numbers: `edgeseg/trust/judge.py`, step by step. */
        fun of(counts: OutputCounts, trust: OutputTrust): Verdict {
            val values = counts.features() ?: return NOTHING
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

        /**
         * What the verdicts on several masks say of a patient together: `joined` of `edgeseg/trust/judge.py`, step by step. Those
         * in which nothing was found say nothing of the others. Null where nothing is told of any.
         */
        fun joined(masks: List<Pair<String, Verdict?>>): Verdict? {
            val found = masks.mapNotNull { (name, verdict) -> verdict?.expectedDice?.let { Triple(name, verdict, it) } }
            if (found.isEmpty()) return NOTHING.takeIf { masks.any { (_, verdict) -> verdict != null } }
            val worst = found.filter { (_, verdict) -> verdict.look }.minByOrNull { (_, _, dice) -> dice }
            val because = worst?.let { (name, verdict) -> verdict.because?.copy(mask = name) }
            return Verdict(found.sumOf { it.third } / found.size, look = worst != null, because = because, lowFactor = null, highFactor = null)
        }
    }
}

/**
 * How far the masks of a volume are to be believed, and where on each slice the network is unsure of any of them.
 *
 * @property masks what is told of each mask; null of one of which the contract tells nothing, and of one of several in which
 * nothing was found, since a patient need not have all of them.
 * @property verdict what they say together.
 */
class Doubt private constructor(val masks: List<Verdict?>, val verdict: Verdict?, val unsure: List<BooleanArray>) {
    companion object {
        /** Joins what is told of each of a contract's masks. */
        fun of(rules: List<MaskRule>, verdicts: List<Verdict?>, unsure: List<BooleanArray>): Doubt {
            if (rules.size == 1) return Doubt(verdicts, verdicts.single(), unsure)
            val named = rules.zip(verdicts) { rule, verdict -> rule.name.orEmpty() to verdict }
            return Doubt(verdicts.map { one -> one?.takeIf { it.expectedDice != null } }, Verdict.joined(named), unsure)
        }
    }
}
