package org.edgeseg.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.sqrt

/** What a NIfTI header says (NIfTI-1 and NIfTI-2), as nibabel reads it. */
class NiftiHeader(private val bytes: ByteBuffer, private val name: String) {
    val two: Boolean
    val size: Int
    private val rank: Int
    val dim: IntArray
    val type: Int
    private val pixdim: DoubleArray
    val offset: Int
    private val slope: Double
    private val intercept: Double
    private val unit: Int
    private val qformCode: Int
    private val sformCode: Int
    private val quatern: DoubleArray
    private val rows: Affine

    init {
        val head = sequenceOf(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN).firstOrNull { order ->
            bytes.capacity() >= Int.SIZE_BYTES && bytes.order(order).getInt(0) in setOf(ONE, TWO)
        }?.let { bytes.getInt(0) }
        if (head == null || bytes.capacity() < head) throw SliceException("$name is no NIfTI file, whatever its name says. Convert it, for instance with dcm2niix.")
        two = head == TWO
        size = head
        val found = if (two) long(16) else short(40)
        if (found !in 1..7) throw SliceException("$name names $found axes; a volume has 3. Export it again.")
        val all = IntArray(found) { if (two) long(24 + 8 * it) else short(42 + 2 * it) }
        rank = if (found > 3 && all.drop(3).all { it == 1 }) 3 else found
        dim = all.copyOf(rank)
        type = if (two) bytes.getShort(12).toInt() else short(70)
        pixdim = DoubleArray(4) { if (two) bytes.getDouble(104 + 8 * it) else bytes.getFloat(76 + 4 * it).toDouble() }
        offset = if (two) long(168) else bytes.getFloat(108).toInt()
        slope = if (two) bytes.getDouble(176) else bytes.getFloat(112).toDouble()
        intercept = if (two) bytes.getDouble(184) else bytes.getFloat(116).toDouble()
        unit = (if (two) bytes.getInt(500) else bytes.get(123).toInt()) and 7
        qformCode = if (two) bytes.getInt(344) else short(252)
        sformCode = if (two) bytes.getInt(348) else short(254)
        quatern = DoubleArray(6) { if (two) bytes.getDouble(352 + 8 * it) else bytes.getFloat(256 + 4 * it).toDouble() }
        rows = Array(3) { line -> DoubleArray(4) { at -> if (two) bytes.getDouble(400 + 8 * (4 * line + at)) else bytes.getFloat(280 + 4 * (4 * line + at)).toDouble() } }
        if ((rank != 3 && rank != 4) || dim.any { it < 1 }) throw SliceException("$name holds ${dim.joinToString(" x ")} values, which is no volume. Three axes are needed, or four for several volumes.")
        if (dim.fold(1L) { product, one -> product * one } > MOST_VOXELS) throw SliceException("$name holds more voxels than the app can keep. Take it on a computer with edgeseg.")
    }

    /** How many volumes there are. */
    val volumes: Int get() = if (rank == 4) dim[3] else 1

    /** What stored values are multiplied by and what is added; null where nothing is. */
    val scale: Pair<Double, Double>? = (slope to intercept).takeIf { slope != 0.0 && slope.isFinite() && intercept.isFinite() && (slope != 1.0 || intercept != 0.0) }

    /** Whether the file says where the patient's sides, head and feet are. */
    val oriented: Boolean get() = sformCode > 0 || qformCode > 0

    /** Whether it says how large voxels are. */
    val sized: Boolean get() = sformCode > 0 || pixdim.drop(1).all { it.isFinite() && it != 0.0 }

    /** Index of the stored array to LPS millimetres, by sform, else by qform, else by the sizes of voxels alone. */
    fun affine(): Affine {
        val mm = mapOf(1 to 1e3, 3 to 1e-3)[unit] ?: 1.0
        val ras = if (sformCode > 0) rows else if (qformCode > 0) byQuaternion() else bySizes()
        return Array(3) { line -> DoubleArray(4) { ras[line][it] * if (line < 2) -mm else mm } }
    }

    private fun byQuaternion(): Affine {
        val (b, c, d) = quatern
        val a = sqrt(maxOf(0.0, 1 - (b * b + c * c + d * d)))
        val turn = arrayOf(
            doubleArrayOf(a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)),
            doubleArrayOf(2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)),
            doubleArrayOf(2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c),
        )
        val sizes = DoubleArray(3) { (pixdim[it + 1].takeIf { size -> size != 0.0 } ?: 1.0) * if (it == 2 && pixdim[0] < 0) -1 else 1 }
        return Array(3) { line -> DoubleArray(4) { if (it == 3) quatern[3 + line] else turn[line][it] * sizes[it] } }
    }

    private fun bySizes(): Affine {
        val sizes = DoubleArray(3) { abs(pixdim[it + 1].takeIf { size -> size != 0.0 } ?: 1.0) * if (it == 0) -1 else 1 }
        return Array(3) { line -> DoubleArray(4) { if (it == 3) -(dim[line] - 1) / 2.0 * sizes[line] else if (it == line) sizes[line] else 0.0 } }
    }

    /** The header without text of a person and without scale, for 8-bit values on the same voxels. */
    fun ofMask(note: String): ByteArray {
        val start = if (two) TWO + 4 else ONE + 4
        val out = ByteBuffer.allocate(start).order(bytes.order())
        for (at in 0 until size) out.put(at, bytes.get(at))
        fun clear(from: Int, until: Int) = (from until until).forEach { out.put(it, 0) }
        fun text(at: Int, value: String, most: Int) = value.encodeToByteArray().take(most).forEachIndexed { index, byte -> out.put(at + index, byte) }
        if (two) {
            out.putShort(12, BYTES).putShort(14, 8).putLong(16, 3)
            for (k in 4..7) out.putLong(16 + 8 * k, 1)
            out.putLong(168, start.toLong())
            clear(176, 344)
            clear(508, 524)
            out.putInt(504, 0)
            text(240, note, 79)
        } else {
            clear(4, 40)
            out.putShort(40, 3)
            for (k in 4..7) out.putShort(40 + 2 * k, 1)
            clear(56, 70)
            out.putShort(70, BYTES).putShort(72, 8).putFloat(108, start.toFloat())
            clear(112, 120)
            clear(124, 252)
            clear(328, 348)
            text(148, note, 79)
            text(344, "n+1", 3)
        }
        return out.array()
    }

    private fun short(at: Int) = bytes.getShort(at).toInt()

    private fun long(at: Int): Int = bytes.getLong(at).let { if (it in 0..Int.MAX_VALUE) it.toInt() else throw SliceException("$name has a header that cannot be right. Copy it again.") }

    private companion object {
        const val ONE = 348
        const val TWO = 540
        const val BYTES: Short = 2
        const val MOST_VOXELS = 300_000_000L
    }
}
