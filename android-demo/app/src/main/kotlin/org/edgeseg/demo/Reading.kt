package org.edgeseg.demo

import android.os.Bundle
import org.edgeseg.core.Plane
import org.edgeseg.core.Section
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Voxel

/** How a case is being looked at; it outlives the turning of the tablet. */
class Reading(private val study: Study, state: Bundle?) {
    var channel = state?.getInt(CHANNEL) ?: study.firstChannel
    var opacity = state?.getInt(OPACITY) ?: DEFAULT_OPACITY
    var outlined = state?.getBoolean(OUTLINED) ?: true
    var referenced = state?.getBoolean(REFERENCED) ?: false
    var differing = state?.getBoolean(DIFFERING) ?: false
    var doubting = state?.getBoolean(DOUBTING) ?: false
    var wiping = state?.getBoolean(WIPING) ?: false
    var beside = state?.getBoolean(BESIDE) ?: false

    /** The voxel that was tapped last. */
    var voxel: Voxel? = state?.getIntArray(VOXEL)?.let { Voxel(it[0], it[1], it[2]) }
        private set
    var section = Section(study.volume, Plane.entries[state?.getInt(PLANE) ?: 0])
        private set
    var index = state?.getInt(INDEX) ?: (section.count / 2)
        private set

    private var counted: Pair<Segmentation?, Plane>? = null
    private var areas: List<Int> = emptyList()

    /** How many pixels each picture of the plane shows of what was drawn; kept until one of the two changes. */
    fun areas(found: Segmentation?): List<Int> {
        if (counted != found to section.plane) {
            counted = found to section.plane
            areas = when {
                found == null -> List(section.count) { 0 }
                section.plane == Plane.AXIAL -> found.pixels
                else -> section.areas(found.masks)
            }
        }
        return areas
    }

    /** Goes to a picture of the plane; false where it is shown already. */
    fun goTo(wanted: Int): Boolean {
        val next = wanted.coerceIn(0, section.count - 1)
        if (next == index) return false
        index = next
        return true
    }

    /** Looks at another plane, through the voxel that was tapped or through the middle. */
    fun turn(plane: Plane) {
        if (plane == section.plane) return
        section = Section(study.volume, plane)
        index = voxel?.let(section::index) ?: (section.count / 2)
    }

    fun tap(x: Int, y: Int) {
        voxel = section.voxel(index, x, y)
    }

    /** Where the voxel lies on the picture that is shown; null where it lies on another. */
    val pixel: Pair<Int, Int>? get() = voxel?.takeIf { section.index(it) == index }?.let(section::pixel)

    fun save(state: Bundle) {
        state.putInt(CHANNEL, channel)
        state.putInt(OPACITY, opacity)
        state.putBoolean(OUTLINED, outlined)
        state.putBoolean(REFERENCED, referenced)
        state.putBoolean(DIFFERING, differing)
        state.putBoolean(DOUBTING, doubting)
        state.putBoolean(WIPING, wiping)
        state.putBoolean(BESIDE, beside)
        state.putInt(PLANE, section.plane.ordinal)
        state.putInt(INDEX, index)
        voxel?.let { state.putIntArray(VOXEL, intArrayOf(it.slice, it.row, it.column)) }
    }

    private companion object {
        const val CHANNEL = "channel"
        const val OPACITY = "opacity"
        const val OUTLINED = "outlined"
        const val REFERENCED = "referenced"
        const val DIFFERING = "differing"
        const val DOUBTING = "doubting"
        const val WIPING = "wiping"
        const val BESIDE = "beside"
        const val PLANE = "plane"
        const val INDEX = "index"
        const val VOXEL = "voxel"
        const val DEFAULT_OPACITY = 35
    }
}
