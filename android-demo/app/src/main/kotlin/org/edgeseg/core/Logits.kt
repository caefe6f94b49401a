package org.edgeseg.core

import kotlin.math.ln

/** From what a network gives to one logit a pixel for each mask: `edgeseg/imaging/logits.py`, step by step. */
class Logits(private val contract: Contract, private val step: Double?) {
    private val grid = contract.height * contract.width
    private val planes = maxOf(1, contract.classes.size)
    private val shares = contract.output == Contract.SOFTMAX || contract.exclusive || contract.regions.isEmpty()

    /** Planes of the output's channels, one after another, into planes of the masks' logits. */
    fun of(values: FloatArray, into: FloatArray) {
        if (contract.output != Contract.LOGITS) requireProbabilities(values)
        contract.masks.forEachIndexed { number, mask ->
            val ours = if (contract.classes.isEmpty()) listOf(0) else mask.channels
            val rest = (0 until planes) - ours.toSet()
            for (pixel in 0 until grid) into[number * grid + pixel] = logit(values, pixel, ours, rest, mask.threshold)
        }
    }

    private fun logit(values: FloatArray, pixel: Int, ours: List<Int>, rest: List<Int>, threshold: Double): Float {
        val best = greatest(values, pixel, ours)
        if (contract.output == Contract.PROBABILITIES) return ofProbability(best, threshold)
        if (!shares || rest.isEmpty()) return best
        val other = greatest(values, pixel, rest)
        if (contract.output == Contract.LOGITS) return best - other
        val least = maxOf(SUREST, (step ?: 0.0) / 2)
        return (ln(best.toDouble().coerceIn(least, 1.0)) - ln(other.toDouble().coerceIn(least, 1.0))).toFloat()
    }

    private fun greatest(values: FloatArray, pixel: Int, channels: List<Int>): Float {
        var most = values[channels[0] * grid + pixel]
        for (at in 1 until channels.size) most = maxOf(most, values[channels[at] * grid + pixel])
        return most
    }

    private fun ofProbability(value: Float, threshold: Double): Float {
        val end = minOf(maxOf(SUREST, (step ?: 0.0) / 2), threshold / 2, (1.0 - threshold) / 2)
        val p = value.toDouble().coerceIn(end, 1.0 - end)
        return ln(p / (1.0 - p)).toFloat()
    }

    private fun requireProbabilities(values: FloatArray) {
        val (low, high) = values.min() to values.max()
        if (low < -OUTSIDE || high > 1 + OUTSIDE) {
            throw ContractException(
                "The model's contract says that it gives probabilities, and it gave values from $low to $high. The contract belongs to " +
                    "another model; take a fresh copy of it.",
            )
        }
    }

    private companion object {
        const val SUREST = 1.0 / (1 shl 23)
        const val OUTSIDE = 1e-3
    }
}
