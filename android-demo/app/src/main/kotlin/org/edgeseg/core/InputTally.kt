package org.edgeseg.core

import kotlin.math.abs
import kotlin.math.sqrt

/**
 * What is counted on the slices that a network is given: `edgeseg/trust/input_tally.py`, step by step. All are whole numbers,
 * and of what is per pair the first index is the first channel.
 *
 * @property channels how many channels a slice has.
 */
class InputTally(val channels: Int) {
    var slices = 0
        private set
    var burnt = 0L
        private set

    /** Head points of each slice, and in how many slices each point was of the head. */
    val areas = ArrayList<Int>()
    val heads = LongArray(POINTS)

    /** Of each channel, bytes of each point summed over the slices in which it was of the head. */
    val sums = Array(channels) { LongArray(POINTS) }
    val squares = Array(channels) { LongArray(channels) }

    /** Of each channel, differences to the neighbouring pixel and to the next point. */
    val steps = Array(channels) { LongArray(2) }
    val black = LongArray(channels)
    val white = LongArray(channels)
    val outside = LongArray(channels)

    /** Of each channel, bytes of the points of rim, bone, cortex and core. */
    val bands = Array(channels) { LongArray(BANDS) }
    val bandPoints = LongArray(BANDS)
    val brighter = Array(channels) { LongArray(channels) }
    val apart = Array(channels) { LongArray(channels) }

    /** Of each channel, bytes of all points and their squares. */
    val everywhere = Array(channels) { LongArray(2) }
    val shown = BooleanArray(channels)
    private val first = IntArray(channels)

    /** Counts the next slice that is looked at, plane after plane on the network's grid. */
    fun add(planes: ByteArray, height: Int, width: Int) {
        val points = Array(channels) { IntArray(POINTS) }
        val beside = Array(channels) { IntArray(POINTS) }
        val head = BooleanArray(POINTS)
        for (at in 0 until POINTS) {
            val (row, column) = place(at / GRID, height) * width to place(at % GRID, width)
            for (channel in 0 until channels) {
                val from = channel * height * width + row
                points[channel][at] = planes[from + column].toInt() and 0xff
                beside[channel][at] = planes[from + minOf(column + 1, width - 1)].toInt() and 0xff
                if (points[channel][at] > TISSUE) head[at] = true
            }
        }
        val depth = depth(head)
        for (at in 0 until POINTS) {
            if (points.indices.all { points[it][at] >= WHITE && beside[it][at] >= WHITE }) burnt++
            if (!head[at]) continue
            heads[at]++
            bandPoints[depth[at] - 1]++
        }
        if (slices == 0) for (channel in first.indices) first[channel] = points[channel][0]
        slices++
        areas += head.count { it }
        val totals = LongArray(channels) { channel(it, points[it], beside[it], head, depth) }
        for (one in 0 until channels) for (other in one until channels) pair(one, other, points, totals, head, depth)
    }

    /** The standard deviation of a channel's bytes over all points. */
    fun deviation(channel: Int): Double {
        val points = (slices * POINTS).toDouble()
        val (total, squares) = everywhere[channel]
        val mean = total / points
        return sqrt(maxOf(0.0, squares / points - mean * mean))
    }

    /** Counts one channel, and tells its bytes over the head. */
    private fun channel(channel: Int, points: IntArray, beside: IntArray, head: BooleanArray, depth: IntArray): Long {
        var total = 0L
        for (at in 0 until POINTS) {
            val value = points[at]
            everywhere[channel][0] += value.toLong()
            everywhere[channel][1] += (value * value).toLong()
            if (value != first[channel]) shown[channel] = true
            if (!head[at]) {
                outside[channel] += value.toLong()
                continue
            }
            total += value
            sums[channel][at] += value.toLong()
            bands[channel][depth[at] - 1] += value.toLong()
            steps[channel][0] += abs(value - beside[at]).toLong()
            if (at % GRID < GRID - 1 && head[at + 1]) steps[channel][1] += abs(points[at + 1] - value).toLong()
            if (value <= TISSUE) black[channel]++
            if (value >= WHITE) white[channel]++
        }
        return total
    }

    private fun pair(one: Int, other: Int, points: Array<IntArray>, totals: LongArray, head: BooleanArray, depth: IntArray) {
        var product = 0L
        for (at in 0 until POINTS) {
            val (a, b) = points[one][at] to points[other][at]
            if (one != other) apart[one][other] += abs(a - b).toLong()
            if (!head[at]) continue
            product += (a * b).toLong()
            if (depth[at] <= EACH || one == other) continue
            if (2 * a * totals[other] > 3 * b * totals[one]) brighter[one][other]++
            if (2 * b * totals[one] > 3 * a * totals[other]) brighter[other][one]++
        }
        squares[one][other] += product
        if (one != other) squares[other][one] += product
    }

    companion object {
        const val GRID = 64
        const val POINTS = GRID * GRID
        private const val SLICES = 12
        private const val TISSUE = 15
        private const val WHITE = 250
        private const val BANDS = 4
        private const val EACH = 2

        /** The numbers, from 0 on, of the slices of a volume of [count] slices that are looked at. */
        fun lookedAt(count: Int): List<Int> = minOf(count, SLICES).let { looks -> List(looks) { it * (count - 1) / maxOf(1, looks - 1) } }

        private fun place(index: Int, size: Int) = (2 * index + 1) * size / (2 * GRID)

        /** Of each point 0 outside the head, and from 1 to 4 in its rim, bone, cortex and core. */
        private fun depth(head: BooleanArray): IntArray {
            val depth = IntArray(POINTS) { if (head[it]) 1 else 0 }
            var left = head
            for (times in 1..(BANDS - 1) * EACH) {
                left = smaller(left)
                if (times % EACH == 0) for (at in depth.indices) if (left[at]) depth[at]++
            }
            return depth
        }

        /** The points whose four neighbours are there too; outside the grid nothing is. */
        private fun smaller(all: BooleanArray) = BooleanArray(POINTS) { at ->
            at / GRID in 1 until GRID - 1 && at % GRID in 1 until GRID - 1 && all[at] && all[at - 1] && all[at + 1] && all[at - GRID] && all[at + GRID]
        }
    }
}
