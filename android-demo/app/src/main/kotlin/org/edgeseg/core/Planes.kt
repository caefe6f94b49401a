package org.edgeseg.core

/** In which plane a volume is looked at. */
enum class Plane { AXIAL, CORONAL, SAGITTAL }

/** A place in a volume: slice, row and column, from 0. */
data class Voxel(val slice: Int, val row: Int, val column: Int)

/**
 * A volume seen in one plane. Axial pictures are the slices as they are. A coronal one has the slices as its rows, the last at
 * the top, and columns as they are; a sagittal one likewise, with the rows of the slices as its columns.
 */
class Section(private val volume: Volume, val plane: Plane) {
    private val depth = volume.slices.size
    private val rows = volume.slices.first().height
    private val columns = volume.slices.first().width
    val count: Int = when (plane) { Plane.AXIAL -> depth; Plane.CORONAL -> rows; Plane.SAGITTAL -> columns }

    /** One picture of the volume. */
    fun slice(index: Int): Slice {
        if (plane == Plane.AXIAL) return volume.slices[index]
        val channels = volume.slices.first().channels
        val width = width(index)
        val bytes = ByteArray(depth * width * channels) {
            val (pixel, channel) = it / channels to it % channels
            val voxel = voxel(index, pixel % width, pixel / width)
            volume.slices[voxel.slice].level(voxel.row * columns + voxel.column, channel).toByte()
        }
        return Slice("${plane.name.lowercase()} ${index + 1}", depth, width, bytes, channels)
    }

    /** What one picture shows of masks that lie on the volume's slices. */
    fun mask(masks: List<BooleanArray>, index: Int): BooleanArray {
        if (plane == Plane.AXIAL) return masks[index]
        val width = width(index)
        return BooleanArray(depth * width) { voxel(index, it % width, it / width).run { masks[slice][row * columns + column] } }
    }

    /** How many pixels of masks each picture shows. */
    fun areas(masks: List<BooleanArray>): List<Int> {
        if (plane == Plane.AXIAL) return masks.map { mask -> mask.count { it } }
        val areas = IntArray(count)
        for (mask in masks) for (at in mask.indices) if (mask[at]) areas[if (plane == Plane.CORONAL) at / columns else at % columns]++
        return areas.toList()
    }

    /** The voxel at a pixel of a picture. */
    fun voxel(index: Int, x: Int, y: Int): Voxel = when (plane) {
        Plane.AXIAL -> Voxel(index, y, x)
        Plane.CORONAL -> Voxel(depth - 1 - y, index, x)
        Plane.SAGITTAL -> Voxel(depth - 1 - y, x, index)
    }

    /** Which picture holds a voxel. */
    fun index(voxel: Voxel): Int = when (plane) { Plane.AXIAL -> voxel.slice; Plane.CORONAL -> voxel.row; Plane.SAGITTAL -> voxel.column }

    /** Column and row of a voxel in its picture. */
    fun pixel(voxel: Voxel): Pair<Int, Int> = when (plane) {
        Plane.AXIAL -> voxel.column to voxel.row
        Plane.CORONAL -> voxel.column to depth - 1 - voxel.slice
        Plane.SAGITTAL -> voxel.row to depth - 1 - voxel.slice
    }

    /** Height and width of a pixel in millimetres. */
    fun pixelMm(spacing: Spacing): Pair<Double, Double> = when (plane) {
        Plane.AXIAL -> spacing.rowMm to spacing.columnMm
        Plane.CORONAL -> spacing.sliceMm to spacing.columnMm
        Plane.SAGITTAL -> spacing.sliceMm to spacing.rowMm
    }

    private fun width(index: Int) = when (plane) { Plane.AXIAL -> volume.slices[index].width; Plane.CORONAL -> columns; Plane.SAGITTAL -> rows }
}
