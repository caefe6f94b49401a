package org.edgeseg.core

import kotlin.math.abs
import kotlin.math.acos
import kotlin.math.sqrt

/** Three rows of four numbers: a voxel's index to millimetres. */
typealias Affine = Array<DoubleArray>

/**
 * A volume as it is stored, seen as axial slices from feet to head, rows from front to back, columns from the patient's right to
 * the left: `edgeseg/data/grid.py`.
 *
 * @property axes for slices, rows and columns the stored axis, and [flips] whether that is seen backwards.
 * @property affine index of (slice, row, column) to LPS millimetres.
 */
class VoxelGrid(val shape: IntArray, val affine: Affine, val axes: IntArray, val flips: BooleanArray) {
    val spacing: Spacing = sides(affine).let { Spacing(it[0], it[1], it[2]) }

    /** Whether every voxel lies within a tenth of the smallest distance of the same voxel of another grid. */
    fun sameAs(other: VoxelGrid): Boolean {
        if (!shape.contentEquals(other.shape)) return false
        val least = SAME_SHARE * sides(affine).min()
        return (0 until CORNERS).all { corner ->
            val at = IntArray(AXES) { if (corner shr it and 1 == 1) shape[it] - 1 else 0 }
            val apart = affine.indices.map { line -> (0 until AXES).sumOf { at[it] * (affine[line][it] - other.affine[line][it]) } + affine[line][AXES] - other.affine[line][AXES] }
            sqrt(apart.sumOf { it * it }) <= least
        }
    }

    companion object {
        private const val AXES = 3
        private const val CORNERS = 8
        private const val MAX_TILT_DEG = 30.0
        private const val MAX_PIXEL_MM = 3.0
        private const val MAX_SHEAR = 0.01
        private const val SAME_SHARE = 0.1
        private const val LEAST_MM = 1e-6

        private fun sides(affine: Affine) = DoubleArray(AXES) { k -> sqrt(affine.sumOf { it[k] * it[k] }) }

        /** Finds how a stored volume of [shape] is seen; [affine] is of the stored index. */
        fun of(shape: IntArray, affine: Affine, name: String): VoxelGrid {
            val sides = sides(affine)
            if (affine.any { row -> row.any { !it.isFinite() } } || sides.any { it < LEAST_MM }) throw SliceException("$name: its voxels have no size. Export it again.")
            val cosines = affine.map { row -> DoubleArray(AXES) { row[it] / sides[it] } }
            for ((a, b) in listOf(0 to 1, 0 to 2, 1 to 2)) {
                if (abs(cosines.sumOf { it[a] * it[b] }) > MAX_SHEAR) throw SliceException("$name: its axes are not at right angles. Resample it to a plain grid first.")
            }
            val axes = IntArray(AXES) { place -> (0 until AXES).maxBy { abs(cosines[AXES - 1 - place][it]) } }
            val along = DoubleArray(AXES) { cosines[AXES - 1 - it][axes[it]] }
            val tilt = along.maxOf { Math.toDegrees(acos(minOf(1.0, abs(it)))) }
            if (axes.toSet().size < AXES || tilt > MAX_TILT_DEG) {
                throw SliceException("$name: the volume is oblique by ${Math.round(tilt)} degrees, and at most ${MAX_TILT_DEG.toInt()} are taken. Resample it to axial slices first.")
            }
            val flips = BooleanArray(AXES) { along[it] < 0 }
            val seen = Array(AXES) { line ->
                val row = affine[line]
                val origin = (0 until AXES).filter { flips[it] }.fold(row[AXES]) { sum, place -> sum + (shape[axes[place]] - 1) * row[axes[place]] }
                DoubleArray(AXES + 1) { place -> if (place == AXES) origin else if (flips[place]) -row[axes[place]] else row[axes[place]] }
            }
            val grid = VoxelGrid(IntArray(AXES) { shape[axes[it]] }, seen, axes, flips)
            if (maxOf(grid.spacing.rowMm, grid.spacing.columnMm) > MAX_PIXEL_MM) {
                throw SliceException("$name: seen as axial slices its pixels are more than ${MAX_PIXEL_MM.toInt()} mm wide. A sagittal or coronal series with thick slices cannot be used.")
            }
            return grid
        }
    }
}
