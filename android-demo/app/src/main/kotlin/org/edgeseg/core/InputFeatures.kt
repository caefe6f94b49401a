package org.edgeseg.core

import org.edgeseg.core.InputTally.Companion.GRID
import org.edgeseg.core.InputTally.Companion.POINTS
import kotlin.math.abs
import kotlin.math.ln
import kotlin.math.sqrt

/** What a volume looks like, of which something was counted: `edgeseg/trust/input_features.py`, step by step. */
class InputFeatures private constructor(private val tally: InputTally, private val points: Long) {
    private val box = Box(tally.heads, points)

    private fun all(): List<Double> {
        val channels = List(tally.channels, ::ofChannel)
        val pairs = pairs(tally.channels).flatMap { (one, other) -> ofPair(one, other) + DIFFERENCES.map { channels[one][it] - channels[other][it] } }
        return ofHead() + channels.flatten() + pairs
    }

    private fun ofHead(): List<Double> {
        val (heads, areas) = tally.heads to tally.areas
        val (front, back, left, right) = box.quarters(middle = false).map { box.sum(heads, it).toDouble() }
        val frame = heads.indices.sumOf { if (it / GRID in 1 until GRID - 1 && it % GRID in 1 until GRID - 1) 0L else heads[it] }
        val largest = maxOf(1, areas.max()).toDouble()
        return listOf(
            box.rows.size / GRID.toDouble(),
            box.columns.size / GRID.toDouble(),
            (box.rows.first + box.rows.last + 1) / (2.0 * GRID),
            abs((box.columns.first + box.columns.last + 1) / (2.0 * GRID) - 0.5),
            points / (tally.slices.toDouble() * box.rows.size * box.columns.size),
            areas.sum() / tally.slices.toDouble() / largest,
            minOf(areas.first(), areas.last()) / largest,
            less(front, back),
            abs(less(left, right)),
            box.reversed(heads, byRows = false) / points.toDouble(),
            box.reversed(heads, byRows = true) / points.toDouble(),
            sqrt(frame / (tally.slices * 4.0 * (GRID - 1))),
            sqrt(tally.burnt / points.toDouble()),
        )
    }

    private fun ofChannel(channel: Int): List<Double> {
        val (mean, deviation) = moments(channel)
        val (near, far) = tally.steps[channel].map { it.toDouble() }
        val bands = tally.bands[channel].zip(tally.bandPoints, ::level)
        fun level(part: Part) = level(box.sum(tally.sums[channel], part), box.sum(tally.heads, part))
        val (front, back, left, right) = box.quarters(middle = true).map(::level)
        return listOf(
            ln(mean + 1.0),
            ln((deviation + 1.0) / (mean + 1.0)),
            tally.black[channel] / points.toDouble(),
            sqrt(tally.white[channel] / points.toDouble()),
            less(near, far),
            ln((far / points + 1.0) / (deviation + 1.0)),
            ln(1.0 + tally.outside[channel] / maxOf(1L, tally.slices.toLong() * POINTS - points).toDouble()),
        ) + bands.dropLast(1).map { less(it, bands.last()) } + listOf(less(front, back), abs(less(left, right)), less(level(box.centre), bands.last()))
    }

    private fun ofPair(one: Int, other: Int): List<Double> {
        val (m1, d1) = moments(one)
        val (m2, d2) = moments(other)
        val agree = ((tally.squares[one][other] / points.toDouble() - m1 * m2 + 1.0) / (d1 * d2 + 1.0)).coerceIn(-GREATEST_AGREEMENT, GREATEST_AGREEMENT)
        val few = points / 500.0
        return listOf(ln((1.0 + agree) / (1.0 - agree)) / 2.0, less(tally.brighter[one][other] + few, tally.brighter[other][one] + few))
    }

    /** Mean and deviation of a channel's head points. */
    private fun moments(channel: Int): Pair<Double, Double> {
        val mean = tally.sums[channel].sum() / points.toDouble()
        return mean to sqrt(maxOf(0.0, tally.squares[channel][channel] / points.toDouble() - mean * mean))
    }

    companion object {
        private const val GREATEST_AGREEMENT = 0.9999
        private const val ALL_PAIRED = 4
        private const val OF_HEAD = 13
        private const val OF_CHANNEL = 13
        private const val OF_PAIR = 12

        /** Places of a channel's features whose differences are those of a pair: mean, spread, black, rough, texture, rim, bone, cortex, centre, front_back. */
        private val DIFFERENCES = listOf(0, 1, 2, 4, 5, 7, 8, 9, 12, 10)

        /** The features: of the head, of each channel, of each pair; null where no point is of the head. */
        fun of(tally: InputTally): List<Double>? = tally.heads.sum().takeIf { it > 0 }?.let { InputFeatures(tally, it).all() }

        /** How many features a volume of so many channels has. */
        fun count(channels: Int): Int = OF_HEAD + OF_CHANNEL * channels + OF_PAIR * pairs(channels).size

        /** The pairs of channels that are compared: all of up to four, else those of neighbours. */
        private fun pairs(channels: Int): List<Pair<Int, Int>> =
            (0 until channels).flatMap { one -> (one + 1 until channels).map { one to it } }.filter { channels <= ALL_PAIRED || it.second == it.first + 1 }

        private fun level(bytes: Long, points: Long): Double = (bytes + 1.0) / (points + 1.0)

        private fun less(one: Double, other: Double): Double = ln((one + 1.0) / (other + 1.0))
    }
}

/** Rows and columns of a box, counted from its own corner. */
private class Part(val rows: IntRange, val columns: IntRange)

private val IntRange.size get() = last - first + 1

/** The rectangle that holds the head, and sums over parts of it. */
private class Box(heads: LongArray, points: Long) {
    val rows = ends(LongArray(GRID) { row -> (0 until GRID).sumOf { heads[row * GRID + it] } }, points)
    val columns = ends(LongArray(GRID) { column -> (0 until GRID).sumOf { heads[it * GRID + column] } }, points)

    fun sum(plane: LongArray, part: Part): Long = part.rows.sumOf { row -> part.columns.sumOf { at(plane, row, it) } }

    /** Its first and last quarter of rows, then of columns; where [middle], between the quarters of the other ones. */
    fun quarters(middle: Boolean): List<Part> {
        val (height, width) = rows.size to columns.size
        val (down, across) = maxOf(1, height / 4) to maxOf(1, width / 4)
        val between = if (middle) height / 4 until height - height / 4 else 0 until height
        val beside = if (middle) width / 4 until width - width / 4 else 0 until width
        return listOf(Part(0 until down, beside), Part(height - down until height, beside), Part(between, 0 until across), Part(between, width - across until width))
    }

    val centre: Part get() = Part(rows.size / 3 until rows.size - rows.size / 3, columns.size / 3 until columns.size - columns.size / 3)

    /** By how much a plane differs from itself with its columns, or its rows, reversed. */
    fun reversed(plane: LongArray, byRows: Boolean): Long = rows.indices().sumOf { row ->
        columns.indices().sumOf { column ->
            abs(at(plane, row, column) - if (byRows) at(plane, rows.size - 1 - row, column) else at(plane, row, columns.size - 1 - column))
        }
    }

    private fun IntRange.indices() = 0 until size

    private fun at(plane: LongArray, row: Int, column: Int) = plane[(rows.first + row) * GRID + columns.first + column]

    /** Between which all but 2 % at each end lie. */
    private fun ends(profile: LongArray, points: Long): IntRange {
        var passed = 0L
        val sums = profile.map { value -> (passed + 50 * value).also { passed = it } }
        return sums.indexOfFirst { it >= points }..sums.indexOfFirst { it >= 49 * points }
    }
}
