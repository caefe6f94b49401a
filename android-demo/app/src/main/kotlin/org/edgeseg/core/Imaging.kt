package org.edgeseg.core

import kotlin.math.ceil

/** One slice as it is stored: [bytes] holds `height * width * 3` bytes, rows from the top, pre, FLAIR, post. */
class Slice(val name: String, val height: Int, val width: Int, val bytes: ByteArray) {
    init {
        require(bytes.size == height * width * 3) { "${bytes.size} bytes are not $height x $width x 3" }
    }
}

/** The slices of one case, in anatomical order; [whole] where they are a volume and its components join across slices. */
class Volume(
    val name: String,
    val slices: List<Slice>,
    val reference: List<BooleanArray>?,
    val whole: Boolean,
    val spacing: Spacing? = null,
)

/** Distances between the centres of neighbouring voxels, in millimetres. */
data class Spacing(val sliceMm: Double, val rowMm: Double, val columnMm: Double) {
    val pixelMm2: Double get() = rowMm * columnMm
    val voxelMl: Double get() = sliceMm * rowMm * columnMm / 1000.0
}

/**
 * Bilinear resampling, antialiased when it shrinks, as Pillow does it: the same coefficients, for bytes in 22-bit fixed
 * point with a rounded pass per axis, for floats summed in double and stored as float after each pass. Any size to any
 * size; the results equal Pillow's bit for bit, and with them those of `edgeseg/imaging/grid.py`.
 */
class Resampler(private val fromHeight: Int, private val fromWidth: Int, private val height: Int, private val width: Int) {
    private val columns = if (fromWidth == width) null else Kernel(fromWidth, width)
    private val rows = if (fromHeight == height) null else Kernel(fromHeight, height)
    private val bytesBetween by lazy { ByteArray(fromHeight * width) }
    private val floatsBetween by lazy { FloatArray(fromHeight * width) }

    fun bytes(from: ByteArray, to: ByteArray) {
        val middle = if (columns == null) from else if (rows == null) to else bytesBetween
        if (columns != null) {
            for (y in 0 until fromHeight) for (x in 0 until width) middle[y * width + x] = columns.byte(from, y * fromWidth, 1, x)
        }
        if (rows != null) {
            for (y in 0 until height) for (x in 0 until width) to[y * width + x] = rows.byte(middle, x, width, y)
        }
        if (columns == null && rows == null) from.copyInto(to)
    }

    fun floats(from: FloatArray, to: FloatArray) {
        val middle = if (columns == null) from else if (rows == null) to else floatsBetween
        if (columns != null) {
            for (y in 0 until fromHeight) for (x in 0 until width) middle[y * width + x] = columns.float(from, y * fromWidth, 1, x)
        }
        if (rows != null) {
            for (y in 0 until height) for (x in 0 until width) to[y * width + x] = rows.float(middle, x, width, y)
        }
        if (columns == null && rows == null) from.copyInto(to)
    }
}

/** The weights of one axis: output `i` is the sum of [count]`[i]` inputs from [first]`[i]` on. */
private class Kernel(from: Int, to: Int) {
    private val scale = from.toDouble() / to
    private val stretch = maxOf(scale, 1.0)
    private val size = ceil(stretch).toInt() * 2 + 1
    private val first = IntArray(to)
    private val count = IntArray(to)
    private val real = DoubleArray(to * size)
    private val fixed = IntArray(to * size)

    init {
        for (i in 0 until to) {
            val centre = (i + 0.5) * scale
            first[i] = maxOf((centre - stretch + 0.5).toInt(), 0)
            count[i] = minOf((centre + stretch + 0.5).toInt(), from) - first[i]
            val inverse = 1.0 / stretch
            var sum = 0.0
            for (k in 0 until count[i]) {
                val distance = Math.abs((k + first[i] - centre + 0.5) * inverse)
                val weight = if (distance < 1.0) 1.0 - distance else 0.0
                real[i * size + k] = weight
                sum += weight
            }
            for (k in 0 until count[i]) {
                if (sum != 0.0) real[i * size + k] /= sum
                fixed[i * size + k] = (0.5 + real[i * size + k] * (1 shl FIXED_BITS)).toInt()
            }
        }
    }

    fun byte(values: ByteArray, start: Int, step: Int, i: Int): Byte {
        var sum = 1 shl (FIXED_BITS - 1)
        var at = start + first[i] * step
        for (k in 0 until count[i]) {
            sum += (values[at].toInt() and 0xff) * fixed[i * size + k]
            at += step
        }
        return (sum shr FIXED_BITS).coerceIn(0, 255).toByte()
    }

    fun float(values: FloatArray, start: Int, step: Int, i: Int): Float {
        var sum = 0.0
        var at = start + first[i] * step
        for (k in 0 until count[i]) {
            sum += values[at] * real[i * size + k]
            at += step
        }
        return sum.toFloat()
    }

    private companion object {
        const val FIXED_BITS = 22
    }
}

/** From a stored slice to the bytes that a network takes, plane by plane in the contract's order; buffers are reused. */
class Preparer(private val contract: Contract) {
    private val grid = contract.height * contract.width

    /** `channels * height * width` bytes, one plane after another; overwritten by the next call. */
    val planes = ByteArray(contract.channels.size * grid)
    private val scaled = ByteArray(grid)
    private var plane = ByteArray(0)
    private var resampler: Resampler? = null
    private var size = 0 to 0

    fun prepare(slice: Slice): ByteArray {
        if (size != slice.height to slice.width) {
            size = slice.height to slice.width
            plane = ByteArray(slice.height * slice.width)
            resampler = Resampler(slice.height, slice.width, contract.height, contract.width)
        }
        contract.channels.forEachIndexed { index, name ->
            val channel = Contract.SLICE_CHANNELS.indexOf(name)
            for (pixel in plane.indices) plane[pixel] = slice.bytes[pixel * Contract.SLICE_CHANNELS.size + channel]
            resampler!!.bytes(plane, scaled)
            if (contract.normalisation == "slice") stretch(scaled)
            scaled.copyInto(planes, index * grid)
        }
        return planes
    }

    companion object {
        private const val LEVELS = 256
        private const val WHITE = 255
        private const val SHARE = 0.99

        /** Stretches one plane in place, so that 99 % of its pixels above 0 stay below white; see docs/reference/contract.md. */
        fun stretch(plane: ByteArray) {
            val counts = IntArray(LEVELS)
            for (value in plane) counts[value.toInt() and 0xff]++
            val total = plane.size - counts[0]
            var white = WHITE
            if (total > 0) {
                var sum = 0
                white = 0
                do sum += counts[++white] while (sum < SHARE * total)
            }
            for (i in plane.indices) plane[i] = minOf(WHITE, (plane[i].toInt() and 0xff) * WHITE / white).toByte()
        }
    }
}
