package org.edgeseg.core

/** The drawing of a golden case, in whole numbers: docs/reference/contract.md, "The drawing". */
object Drawing {
    private const val CHANNELS = 3

    fun draw(golden: GoldenCase, height: Int, width: Int): ByteArray {
        var image = IntArray(height * width * CHANNELS)
        for (ellipse in golden.ellipses) paint(image, ellipse, height, width)
        for (i in image.indices) if (image[i] > 0) image[i] = (image[i] + noise(i.toLong(), golden.noise)).coerceIn(0, 255)
        repeat(golden.blur) { image = boxFilter(image, height, width) }
        return ByteArray(image.size) { image[it].toByte() }
    }

    /** A drawing with the channels that a slice has for a contract: its three planes, or one of them for each channel in turn. */
    fun slice(drawn: ByteArray, contract: Contract): Slice {
        val channels = contract.given.size
        if (contract.given == Contract.SLICE_CHANNELS) return Slice("golden", contract.height, contract.width, drawn)
        val bytes = ByteArray(contract.height * contract.width * channels) { drawn[it / channels * CHANNELS + it % channels % CHANNELS] }
        return Slice("golden", contract.height, contract.width, bytes, channels)
    }

    private fun paint(image: IntArray, ellipse: List<Int>, height: Int, width: Int) {
        val centreY = Math.floorDiv(ellipse[0].toLong() * height, 512L)
        val centreX = Math.floorDiv(ellipse[1].toLong() * width, 512L)
        val radiusY = Math.floorDiv(ellipse[2].toLong() * height, 512L)
        val radiusX = Math.floorDiv(ellipse[3].toLong() * width, 512L)
        val (yy, xx) = radiusY * radiusY to radiusX * radiusX
        for (row in 0 until height) for (column in 0 until width) {
            val a = 2L * row + 1 - centreY
            val b = 2L * column + 1 - centreX
            if (a * a * xx + b * b * yy <= xx * yy) {
                for (channel in 0 until CHANNELS) image[(row * width + column) * CHANNELS + channel] = ellipse[4 + channel]
            }
        }
    }

    private fun noise(i: Long, amplitude: Int): Int {
        val mixed = (i * i * 4241 + i * 7 + i / 8 * 40503) % 65521
        return (mixed % (2 * amplitude + 1) - amplitude).toInt()
    }

    private fun boxFilter(image: IntArray, height: Int, width: Int): IntArray {
        val out = IntArray(image.size)
        for (row in 0 until height) for (column in 0 until width) for (channel in 0 until CHANNELS) {
            var sum = 0
            for (dy in -1..1) for (dx in -1..1) {
                val y = (row + dy).coerceIn(0, height - 1)
                val x = (column + dx).coerceIn(0, width - 1)
                sum += image[(y * width + x) * CHANNELS + channel]
            }
            out[(row * width + column) * CHANNELS + channel] = (sum + 4) / 9
        }
        return out
    }
}

/** What a self-test found: pixels that differ from the expected masks, and how many may. */
data class SelfTest(val passed: Boolean, val flips: Int, val allowedFlips: Int, val cases: Int)
