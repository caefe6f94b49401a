package org.edgeseg.core

import kotlin.math.floor
import kotlin.math.sqrt

/** What a normalisation needs to know beside its name; docs/reference/contract.md has every field. */
data class Intensity(
    val over: String,
    val pixels: String,
    val zeroStays: Boolean,
    val together: Boolean,
    val low: Double,
    val high: Double,
    val then: String,
    val mean: List<Double>,
    val std: List<Double>,
)

/**
 * Normalisation as tables of 256 values for each channel, from the histogram of a slice or of a volume: the same sums,
 * products, quotients and roots of doubles in the same order as `edgeseg/imaging/intensity.py`, so the same to the last bit.
 */
object Normaliser {
    const val LEVELS = 256
    private const val LEAST_DEVIATION = 1e-9

    /** Counts the grey values of each channel of one slice, plane after plane as [Preparer] gives them, into [counts]. */
    fun count(planes: ByteArray, counts: Array<LongArray>) {
        val grid = planes.size / counts.size
        for (at in planes.indices) counts[at / grid][planes[at].toInt() and 0xff]++
    }

    /** Empty counts for [count]. */
    fun counts(contract: Contract): Array<LongArray> = Array(contract.channels.size) { LongArray(LEVELS) }

    /** The tables of one slice by itself, plane after plane as [Preparer] gives it. */
    fun tables(contract: Contract, planes: ByteArray): Array<FloatArray> =
        tables(contract, if (contract.intensity == null) null else counts(contract).also { count(planes, it) })

    /** What each byte of each channel becomes; [counts] may be null where there is no intensity. */
    fun tables(contract: Contract, counts: Array<LongArray>?): Array<FloatArray> {
        val spec = contract.intensity
        if (spec == null || counts == null) {
            return Array(contract.channels.size) { FloatArray(LEVELS) { it.toFloat() * contract.scale.toFloat() } }
        }
        val inside = spec.pixels == "non-zero"
        val counted = counts.map { row -> row.copyOf().also { if (inside) it[0] = 0 } }
        val every = LongArray(LEVELS) { level -> counted.sumOf { it[level] } }
        return Array(counted.size) { channel ->
            val values = values(contract, spec, counted[channel], every, channel)
            FloatArray(LEVELS) { values[it].toFloat() }.also {
                if (inside && spec.zeroStays && contract.normalisation != "mean-std") it[0] = 0f
            }
        }
    }

    private fun values(contract: Contract, spec: Intensity, counts: LongArray, every: LongArray, channel: Int): DoubleArray {
        val first = if (spec.together) every else counts
        if (contract.normalisation == "mean-std") {
            return standardised(DoubleArray(LEVELS) { it * contract.scale }, spec.mean[channel], spec.std[channel])
        }
        if (contract.normalisation == "z-score") return standardised(DoubleArray(LEVELS) { it.toDouble() }, first)
        val low = percentile(first, spec.low)
        val high = percentile(first, spec.high)
        if (!(high > low)) return DoubleArray(LEVELS)
        val values = DoubleArray(LEVELS) { minOf(maxOf((it - low) / (high - low), 0.0), 1.0) }
        return when (spec.then) {
            "z-score" -> standardised(values, counts)
            "mean-std" -> standardised(values, spec.mean[channel], spec.std[channel])
            else -> values
        }
    }

    private fun standardised(values: DoubleArray, counts: LongArray): DoubleArray {
        val total = counts.sum()
        if (total == 0L) return DoubleArray(LEVELS)
        var sum = 0.0
        for (level in values.indices) sum += counts[level] * values[level]
        val mean = sum / total
        var squares = 0.0
        for (level in values.indices) squares += counts[level] * ((values[level] - mean) * (values[level] - mean))
        return standardised(values, mean, sqrt(squares / total))
    }

    private fun standardised(values: DoubleArray, mean: Double, deviation: Double): DoubleArray =
        if (deviation <= LEAST_DEVIATION) DoubleArray(values.size) else DoubleArray(values.size) { (values[it] - mean) / deviation }

    private fun percentile(counts: LongArray, share: Double): Double {
        val total = counts.sum()
        if (total == 0L) return 0.0
        val place = share * (total - 1) / 100.0
        val rank = floor(place).toLong()
        val low = ranked(counts, rank)
        val high = ranked(counts, minOf(rank + 1, total - 1))
        return low + (high - low) * (place - rank)
    }

    private fun ranked(counts: LongArray, rank: Long): Int {
        var left = rank
        for (level in counts.indices) {
            left -= counts[level]
            if (left < 0) return level
        }
        return LEVELS - 1
    }
}
