package org.edgeseg.core

/** Which stored levels a picture shows from black, at [low], to white, at [high]; either may lie outside 0 to 255. */
data class Window(val low: Int, val high: Int) {
    init {
        require(high > low) { "$low to $high is no window" }
    }

    val width: Int get() = high - low
    val level: Int get() = (low + high) / 2

    /** What each of the 256 stored levels is shown as. */
    fun shades(): IntArray = IntArray(LEVELS + 1) { ((it - low) * LEVELS / width).coerceIn(0, LEVELS) }

    companion object {
        private const val LEVELS = 255
        private const val INNER = 0.7
        private const val LOW_SHARE = 0.01
        private const val HIGH_SHARE = 0.995
        private const val BACKGROUND = 0.08

        /** Everything that is stored. */
        val WHOLE = Window(0, LEVELS)

        /** The window of [width] levels, at least 1, around [level]. */
        fun of(level: Int, width: Int): Window = (level - width / 2).let { Window(it, it + maxOf(1, width)) }

        /**
         * A window for one channel of a whole case: 1 % to 99.5 % of what lies in the inner 70 % of the head on each slice,
         * where there is brain and no fat of the skull. [WHOLE] where a case is all of one level.
         */
        fun automatic(slices: List<Slice>, channel: Int): Window {
            val counts = LongArray(LEVELS + 1)
            for (slice in slices) count(slice, channel, counts)
            val low = quantile(counts, LOW_SHARE)
            val high = quantile(counts, HIGH_SHARE)
            return if (high > low) Window(low, high) else WHOLE
        }

        private fun count(slice: Slice, channel: Int, counts: LongArray) {
            fun level(y: Int, x: Int) = slice.level(y * slice.width + x, channel)
            val brightest = (0 until slice.height * slice.width).maxOf { level(it / slice.width, it % slice.width) }
            val floor = maxOf(1, (brightest * BACKGROUND).toInt())
            val rows = (0 until slice.height).filter { y -> (0 until slice.width).any { level(y, it) >= floor } }
            val columns = (0 until slice.width).filter { x -> (0 until slice.height).any { level(it, x) >= floor } }
            if (rows.isEmpty()) return
            val (middleY, middleX) = (rows.first() + rows.last()) / 2.0 to (columns.first() + columns.last()) / 2.0
            val (radiusY, radiusX) = INNER * (rows.last() - rows.first() + 1) / 2 to INNER * (columns.last() - columns.first() + 1) / 2
            for (y in rows) for (x in columns) {
                val (dy, dx) = (y - middleY) / radiusY to (x - middleX) / radiusX
                if (dy * dy + dx * dx <= 1 && level(y, x) >= floor) counts[level(y, x)]++
            }
        }

        private fun quantile(counts: LongArray, share: Double): Int {
            val wanted = share * counts.sum()
            var seen = 0L
            return counts.indices.firstOrNull { level -> counts[level].also { seen += it } > 0 && seen >= wanted } ?: 0
        }
    }
}

/** How long a scale bar is. */
object ScaleBar {
    private val STEPS = listOf(200, 100, 50, 20, 10, 5, 2, 1)

    /** The longest bar of 1, 2 or 5 times a power of ten, in whole millimetres, that is at most [mostMm] long; null below 1 mm. */
    fun millimetres(mostMm: Double): Int? = STEPS.firstOrNull { it <= mostMm }
}
