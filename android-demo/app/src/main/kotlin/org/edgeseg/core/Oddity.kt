package org.edgeseg.core

import org.edgeseg.core.InputTally.Companion.POINTS
import kotlin.math.abs

/**
 * What is odd about an input.
 *
 * @property kind a sign of the contract, or [MISSING], [COPIED] or [EMPTY].
 * @property channels the channels that are meant, where some are.
 */
data class Oddity(val kind: String, val channels: List<String>) {
    companion object {
        const val MISSING = "missing"
        const val COPIED = "copied"
        const val EMPTY = "empty"
        private const val EDGE = 5.0
        private const val EQUAL_SHARE = 0.06

        /** Says what is odd about an input, as `edgeseg/trust/input_judge.py`; without a look only what is certain. */
        fun of(tally: InputTally, look: InputLook?, channels: List<String>): Oddity? = if (true !in tally.shown) null else certain(tally, channels) ?: look?.let { sign(tally, it, channels) }

        private fun certain(tally: InputTally, channels: List<String>): Oddity? {
            channels.indices.firstOrNull { !tally.shown[it] }?.let { return Oddity(MISSING, listOf(channels[it])) }
            for (one in channels.indices) for (other in one + 1 until channels.size) if (same(tally, one, other)) return Oddity(COPIED, listOf(channels[one], channels[other]))
            return null
        }

        /** Whether two channels hold the same picture. */
        private fun same(tally: InputTally, one: Int, other: Int): Boolean {
            val deviation = minOf(tally.deviation(one), tally.deviation(other))
            val total = minOf(tally.everywhere[one][0], tally.everywhere[other][0])
            val apart = tally.apart[one][other]
            return apart < EQUAL_SHARE * deviation * tally.slices * POINTS && apart < EQUAL_SHARE * total
        }

        /** The score of each sign, above 0 where it is there, from all features of a volume. */
        fun scores(found: List<Double>, look: InputLook): List<Double> {
            val values = look.features.mapIndexed { at, feature -> ((found[feature] - look.typical[at]) / look.spread[at]).coerceIn(-EDGE, EDGE) }
            return look.signs.map { sign -> sign.on.zip(sign.weights).fold(sign.bias) { score, (place, weight) -> score + weight * values[place] } }
        }

        private fun sign(tally: InputTally, look: InputLook, channels: List<String>): Oddity? {
            val found = InputFeatures.of(tally) ?: return Oddity(EMPTY, emptyList())
            val (sign, _) = look.signs.zip(scores(found, look)).filter { it.second > 0.0 }.minByOrNull { abs(it.second - 1.0) } ?: return null
            return Oddity(sign.kind, sign.channels.map { channels[it] })
        }
    }
}
