package org.edgeseg.core

import kotlin.math.abs
import kotlin.math.floor

/** A sequence sampled on another's grid by trilinear interpolation, black where it does not reach: `edgeseg/data/sequence.py`. */
class Resliced(private val range: GreyRange, private val own: VoxelGrid, private val fixed: VoxelGrid) {
    private val step = between(own.affine, fixed.affine)
    private val planes = object : LinkedHashMap<Int, DoubleArray>() {
        override fun removeEldestEntry(eldest: Map.Entry<Int, DoubleArray>) = size > KEPT
    }

    /** Which share of the other grid the sequence covers, from 12 points along each axis. */
    val covered: Double get() {
        val along = fixed.shape.map { size -> DoubleArray(PROBES) { it * (size - 1) / (PROBES - 1.0) } }
        var inside = 0
        for (s in along[0]) for (r in along[1]) for (c in along[2]) if (isInside(seen(s, r, c))) inside++
        return inside.toDouble() / (PROBES * PROBES * PROBES)
    }

    /** One slice of the other grid as grey levels, row after row. */
    fun plane(slice: Int): ByteArray {
        val (_, height, width) = fixed.shape
        return ByteArray(height * width) { at ->
            val place = seen(slice.toDouble(), (at / width).toDouble(), (at % width).toDouble())
            if (isInside(place)) range.grey(sample(place)).toByte() else 0
        }
    }

    private fun sample(place: DoubleArray): Double {
        val low = IntArray(AXES)
        val part = DoubleArray(AXES)
        for (axis in 0 until AXES) {
            val clipped = place[axis].coerceIn(0.0, own.shape[axis] - 1.0)
            low[axis] = minOf(floor(clipped).toInt(), maxOf(own.shape[axis] - 2, 0))
            part[axis] = clipped - low[axis]
        }
        var total = 0.0
        for (corner in 0 until CORNERS) {
            var weight = 1.0
            for (axis in 0 until AXES) weight *= if (corner shr axis and 1 == 1) part[axis] else 1 - part[axis]
            if (!(weight > 0)) continue
            val (s, r, c) = IntArray(AXES) { if (corner shr it and 1 == 1) minOf(low[it] + 1, own.shape[it] - 1) else low[it] }
            total += planes.getOrPut(s) { range.values(s) }[r * own.shape[2] + c] * weight
        }
        return total
    }

    private fun seen(slice: Double, row: Double, column: Double) =
        DoubleArray(AXES) { step[it][0] * slice + step[it][1] * row + step[it][2] * column + step[it][3] }

    private fun isInside(place: DoubleArray) = place.indices.all { place[it] >= -0.5 - EDGE && place[it] <= own.shape[it] - 0.5 + EDGE }

    private companion object {
        const val AXES = 3
        const val CORNERS = 8
        const val PROBES = 12
        const val KEPT = 64
        const val EDGE = 1e-6

        /** The affine from one grid's index to another's: [moving] solved for [fixed], by elimination with pivots. */
        fun between(moving: Affine, fixed: Affine): Affine {
            val rows = Array(AXES) { line -> DoubleArray(7) { if (it < AXES) moving[line][it] else if (it < 6) fixed[line][it - AXES] else fixed[line][AXES] - moving[line][AXES] } }
            for (k in 0 until AXES) {
                val pivot = (k until AXES).maxBy { abs(rows[it][k]) }
                rows[k] = rows[pivot].also { rows[pivot] = rows[k] }
                for (line in k + 1 until AXES) {
                    val times = rows[line][k] / rows[k][k]
                    for (at in k until 7) rows[line][at] -= times * rows[k][at]
                }
            }
            for (k in AXES - 1 downTo 0) for (at in AXES until 7) {
                for (line in k + 1 until AXES) rows[k][at] -= rows[k][line] * rows[line][at]
                rows[k][at] /= rows[k][k]
            }
            return Array(AXES) { rows[it].copyOfRange(AXES, 7) }
        }
    }
}
