package org.edgeseg.core

import kotlin.math.ceil

/** One slice as it is stored: [bytes] holds `height * width * channels` bytes, rows from the top, channels last. */
class Slice(val name: String, val height: Int, val width: Int, val bytes: ByteArray, val channels: Int = RGB) {
    init {
        require(bytes.size == height * width * channels) { "${bytes.size} bytes are not $height x $width x $channels" }
    }

    /** What is stored for one channel of a pixel, 0 to 255. */
    fun level(pixel: Int, channel: Int): Int = bytes[pixel * channels + channel].toInt() and 0xff

    /** Pads the slice with black at the right and below. */
    fun framed(height: Int, width: Int): Slice {
        if (height == this.height && width == this.width) return this
        val padded = ByteArray(height * width * channels)
        for (row in 0 until this.height) bytes.copyInto(padded, row * width * channels, row * this.width * channels, (row + 1) * this.width * channels)
        return Slice(name, height, width, padded, channels)
    }

    companion object {
        /** The planes of a picture in colour. */
        const val RGB = 3
    }
}

/**
 * The slices of one case, in anatomical order; [whole] where they are a volume and its components join across slices.
 *
 * @property spacing what the files say of distances; null where they say nothing, as pictures do.
 * @property oriented whether they are known to go from feet to head, rows from front to back, columns from the right to the left.
 * @property source the file on whose voxels masks lie; null for pictures.
 */
class Volume(
    val name: String,
    val slices: List<Slice>,
    val reference: List<BooleanArray>?,
    val whole: Boolean,
    val spacing: Spacing? = null,
    val oriented: Boolean = false,
    val source: NiftiSequence? = null,
) {
    /** The spacing where it is known, and not taken for 1 mm because a file does not say it. */
    val known: Spacing? get() = spacing.takeIf { source?.header?.sized != false }

    /** The size to which a slice is padded, so that its proportions are kept on the contract's grid, as `edgeseg.imaging.framed_size`. */
    fun framedSize(slice: Slice, contract: Contract): Pair<Int, Int> {
        val (height, width) = slice.height to slice.width
        val known = spacing ?: return height to width
        val aspect = (height * known.rowMm / contract.height) / (width * known.columnMm / contract.width)
        if (Math.abs(aspect - 1) <= ASPECT_TOLERANCE) return height to width
        return if (aspect > 1) height to Math.rint(width * aspect).toInt() else Math.rint(height / aspect).toInt() to width
    }

    private companion object {
        const val ASPECT_TOLERANCE = 0.01
    }
}

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
        if (slice.channels != contract.given.size) {
            throw SliceException(
                "${slice.name} has ${slice.channels} channels, and the model takes ${contract.given.size}: ${contract.given.joinToString()}. " +
                    "Choose pictures with these channels.",
            )
        }
        contract.channels.forEachIndexed { index, name ->
            val channel = contract.given.indexOf(name)
            for (pixel in plane.indices) plane[pixel] = slice.bytes[pixel * slice.channels + channel]
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
