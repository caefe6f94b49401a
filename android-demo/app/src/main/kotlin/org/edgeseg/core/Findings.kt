package org.edgeseg.core

/**
 * One connected component of one of a case's masks, as [Components] joins them.
 *
 * @property mask which of the contract's masks it is of, from 0.
 * @property pixels how many pixels, or voxels of a volume, it has.
 * @property first the first slice it is on, from 0; [last] likewise, and [largest] the one on which it is largest.
 */
class Finding(val mask: Int, val pixels: Int, val first: Int, val last: Int, val largest: Int, private val places: IntArray, private val starts: IntArray) {
    /** Takes the component out of the mask of a slice, in place. */
    fun erase(slice: Int, mask: BooleanArray) {
        for (at in places) if (at in starts[slice] until starts[slice + 1]) mask[at - starts[slice]] = false
    }
}

/** The components of a case, mask after mask and of each the largest first, and its masks without those that a reader dismissed. */
class Findings(private val drawn: List<Drawn>, val all: List<Finding>) {
    /** One mask on a slice without the components of these places in [all]. */
    fun mask(number: Int, slice: Int, dismissed: Set<Int>): BooleanArray {
        val touched = dismissed.map { all[it] }.filter { it.mask == number && slice in it.first..it.last }
        val mask = drawn[number].masks[slice]
        return if (touched.isEmpty()) mask else mask.copyOf().also { copy -> touched.forEach { it.erase(slice, copy) } }
    }

    fun drawn(dismissed: Set<Int>): List<Drawn> = drawn.indices.map { number -> Drawn(drawn[number].masks.indices.map { mask(number, it, dismissed) }) }

    companion object {
        fun of(volume: Volume, drawn: List<Drawn>): Findings =
            Findings(drawn, drawn.flatMapIndexed { number, one -> of(volume, one.masks, number).sortedByDescending { it.pixels } })

        private fun of(volume: Volume, masks: List<BooleanArray>, number: Int): List<Finding> {
            val starts = IntArray(masks.size + 1)
            for (slice in masks.indices) starts[slice + 1] = starts[slice] + masks[slice].size
            val groups = if (volume.whole) listOf(masks.indices) else masks.indices.map { it..it }
            return groups.flatMap { group ->
                val (height, width) = volume.slices[group.first].run { height to width }
                val joined = BooleanArray(starts[group.last + 1] - starts[group.first])
                for (slice in group) masks[slice].copyInto(joined, starts[slice] - starts[group.first])
                places(Components.find(joined, group.count(), height, width, volume.whole)).map { places ->
                    finding(number, IntArray(places.size) { places[it] + starts[group.first] }, starts)
                }
            }
        }

        private fun places(found: Components.Found): List<IntArray> {
            val places = found.sizes.map { IntArray(it) }
            val filled = IntArray(places.size)
            found.owner.forEachIndexed { at, owner -> if (owner >= 0) places[owner][filled[owner]++] = at }
            return places
        }

        private fun finding(number: Int, places: IntArray, starts: IntArray): Finding {
            val areas = IntArray(starts.size - 1)
            var slice = 0
            for (at in places) {
                while (at >= starts[slice + 1]) slice++
                areas[slice]++
            }
            val largest = areas.indices.maxBy { areas[it] }
            return Finding(number, places.size, areas.indexOfFirst { it > 0 }, areas.indexOfLast { it > 0 }, largest, places, starts)
        }
    }
}
