package org.edgeseg.core

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.sqrt

/** From a scanner's values to the 8-bit range that networks are trained on: `edgeseg/data/intensity.py` and `blank.py`. */
class GreyRange(private val sequence: NiftiSequence) {
    private val blanks: List<Double>
    private val low: Double
    private val high: Double

    init {
        val (sample, border) = if (sequence.isBytes) DoubleArray(0) to DoubleArray(0) else sample()
        blanks = Blanks.find(sample, border)
        val rest = sample.filter { it !in blanks }.toDoubleArray().also { it.sort() }
        low = if (rest.isEmpty()) 0.0 else quantile(rest, LOW)
        val tissue = if (rest.isEmpty()) rest else rest.filter { it > low + TISSUE * (quantile(rest, BRIGHT) - low) }.toDoubleArray()
        high = if (tissue.isEmpty()) low else quantile(tissue, HIGH)
    }

    /** Whether the values are all alike, so that nothing can be seen. */
    val flat: Boolean get() = !sequence.isBytes && !(high > low)

    /** One slice as grey levels, row after row; what is not finite becomes 0. */
    fun plane(slice: Int): ByteArray {
        val values = values(slice)
        return ByteArray(values.size) { grey(values[it]).toByte() }
    }

    /** One slice in the file's own unit, with the darkest tissue in the place of values that are no intensities. */
    fun values(slice: Int): DoubleArray {
        val values = sequence.plane(slice)
        if (blanks.isNotEmpty()) for (at in values.indices) if (values[at] in blanks) values[at] = low
        return values
    }

    /** The grey level of a value of [values], or of one between them. */
    fun grey(value: Double): Int = when {
        !value.isFinite() -> 0
        sequence.isBytes -> Math.rint(value).toInt()
        flat -> 0
        else -> Math.rint(BRIGHT_GREY * ((value - low) / (high - low))).coerceIn(0.0, 255.0).toInt()
    }

    /** Voxels of the sequence, and those at the border of its slices, that are finite. */
    private fun sample(): Pair<DoubleArray, DoubleArray> {
        val (slices, rows, columns) = sequence.grid.shape
        val count = minOf(slices, MAX_PLANES)
        val by = (slices - 1).toDouble() / maxOf(1, count - 1)
        val chosen = (0 until count).map { if (it > 0 && it == count - 1) slices - 1 else (it * by).toInt() }.distinct()
        val step = maxOf(1, ceil(sqrt(chosen.size.toDouble() * rows * columns / MAX_SAMPLES)).toInt())
        val (inside, border) = ArrayList<Double>() to ArrayList<Double>()
        for (index in chosen) {
            val plane = sequence.plane(index)
            for (y in 0 until rows step step) for (x in 0 until columns step step) inside += plane[y * columns + x]
            for (x in 0 until columns) border += listOf(plane[x], plane[(rows - 1) * columns + x])
            for (y in 0 until rows) border += listOf(plane[y * columns], plane[(y + 1) * columns - 1])
        }
        return inside.filter { it.isFinite() }.toDoubleArray() to border.filter { it.isFinite() }.toDoubleArray()
    }

    companion object {
        private const val BRIGHT_GREY = 148.0
        private const val LOW = 0.01
        const val BRIGHT = 0.995
        private const val HIGH = 0.99
        private const val TISSUE = 0.1
        private const val MAX_PLANES = 48
        private const val MAX_SAMPLES = 1_000_000

        /** NumPy's linear quantile of sorted values. */
        fun quantile(sorted: DoubleArray, share: Double): Double {
            val place = (sorted.size - 1) * share
            val before = floor(place).toInt()
            val part = place - before
            val (a, b) = sorted[before] to sorted[minOf(before + 1, sorted.size - 1)]
            return if (part >= 0.5) b - (b - a) * (1 - part) else a + (b - a) * part
        }
    }
}

/** Values that are no intensities, though no header says so. */
private object Blanks {
    private const val MIN_SHARE = 0.005
    private const val MIN_BORDER_SHARE = 0.05
    private const val MIN_GAP = 0.25
    private const val AMID_SHARE = 0.1
    private const val AMID_BORDER_SHARE = 0.3
    private const val BELOW_SHARE = 0.01
    private const val BELOW = 0.1

    fun find(sample: DoubleArray, border: DoubleArray): List<Double> {
        var rest = sample.sortedArray()
        val found = ArrayList<Double>()
        for (above in listOf(true, false)) {
            if (rest.size < 2 || border.isEmpty()) break
            val value = if (above) rest.last() else rest.first()
            val others = rest.filter { it != value }.toDoubleArray()
            if (1 - others.size.toDouble() / rest.size < MIN_SHARE || others.isEmpty() || (!above && value >= 0)) continue
            val apart = if (above) value - others.last() else others.first() - value
            if (apart > MIN_GAP * (others.last() - others.first()) && share(border) { it == value } > MIN_BORDER_SHARE) {
                found += value
                rest = others
            }
        }
        return found + listOfNotNull(amid(rest, border))
    }

    /** The value of a background that tissue reaches below, as in standardised volumes. */
    private fun amid(sorted: DoubleArray, border: DoubleArray): Double? {
        if (sorted.isEmpty() || border.isEmpty()) return null
        var (value, most, start) = Triple(sorted[0], 0, 0)
        for (at in 1..sorted.size) {
            if (at < sorted.size && sorted[at] == sorted[start]) continue
            if (at - start > most) {
                value = sorted[start]
                most = at - start
            }
            start = at
        }
        if (most < AMID_SHARE * sorted.size || share(border) { it == value } < AMID_BORDER_SHARE) return null
        val bright = GreyRange.quantile(sorted, GreyRange.BRIGHT)
        return value.takeIf { share(sorted) { one -> one < value - BELOW * (bright - value) } >= BELOW_SHARE }
    }

    private inline fun share(values: DoubleArray, test: (Double) -> Boolean) = values.count(test).toDouble() / values.size
}
