package org.edgeseg.core

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.DataFormatException
import java.util.zip.Inflater

/**
 * Reads the TIFF files that slices are kept in and that Android does not decode (TIFF 6.0): one picture of 8-bit grey or
 * RGB in strips, stored plainly, with LZW, Deflate (as edgeseg writes its masks) or PackBits, with or without horizontal
 * prediction.
 */
object Tiff {
    private const val HEADER = 8
    private const val MAX_SIDE = 2048
    private const val WIDTH = 256
    private const val HEIGHT = 257
    private const val BITS = 258
    private const val COMPRESSION = 259
    private const val PHOTOMETRIC = 262
    private const val STRIP_OFFSETS = 273
    private const val SAMPLES = 277
    private const val STRIP_BYTES = 279
    private const val PLANAR = 284
    private const val PREDICTOR = 317
    private const val TILE_WIDTH = 322
    private const val PART = 8192
    private const val PLAIN = 1
    private const val LZW = 5
    private const val DEFLATE = 8
    private const val OLD_DEFLATE = 32946
    private const val PACK_BITS = 32773
    private const val LZW_CLEAR = 256
    private const val LZW_END = 257
    private const val LZW_ENTRIES = 4096

    fun isTiff(bytes: ByteArray): Boolean =
        bytes.size > HEADER && (bytes.decodeToString(0, 2) == "II" && bytes[2] == 42.toByte() || bytes.decodeToString(0, 2) == "MM" && bytes[3] == 42.toByte())

    /** Decodes a TIFF; grey becomes three equal channels. */
    fun decode(name: String, bytes: ByteArray): Slice = try {
        read(name, bytes)
    } catch (error: Exception) {
        // Damaged numbers lead outside the file, to tags that are missing, or to codes that no table holds.
        val damaged = error is IndexOutOfBoundsException || error is IllegalArgumentException || error is NoSuchElementException || error is DataFormatException
        throw if (damaged) SliceException("$name is cut short or damaged. Copy it again.", error) else error
    }

    private fun read(name: String, bytes: ByteArray): Slice {
        val buffer = ByteBuffer.wrap(bytes).order(if (bytes[0] == 'I'.code.toByte()) ByteOrder.LITTLE_ENDIAN else ByteOrder.BIG_ENDIAN)
        val tags = tags(buffer)
        fun one(tag: Int, default: Int) = tags[tag]?.firstOrNull() ?: default
        val (width, height, samples) = Triple(one(WIDTH, 0), one(HEIGHT, 0), one(SAMPLES, 1))
        val problem = when {
            width !in 1..MAX_SIDE || height !in 1..MAX_SIDE -> "$width x $height pixels; 1 to $MAX_SIDE on a side are needed"
            tags[BITS].orEmpty().any { it != 8 } || BITS !in tags -> "${tags[BITS]?.firstOrNull() ?: 1} bits; 8 are needed"
            samples != 1 && samples != 3 -> "$samples channels; 3 (pre, FLAIR, post) or 1 are needed"
            one(PLANAR, 1) != 1 || TILE_WIDTH in tags -> "separate planes or tiles; one plane in strips is needed"
            one(COMPRESSION, PLAIN) !in setOf(PLAIN, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS) ->
                "compression ${one(COMPRESSION, PLAIN)}; none, LZW, Deflate or PackBits is needed"
            one(PHOTOMETRIC, if (samples == 3) 2 else 1) != (if (samples == 3) 2 else 1) -> "a palette or inverted colours; plain grey or RGB is needed"
            one(PREDICTOR, 1) !in 1..2 -> "predictor ${one(PREDICTOR, 1)}; none or the horizontal one is needed"
            else -> null
        }
        if (problem != null) throw SliceException("$name has $problem. Save it as PNG, or as an 8-bit RGB TIFF.")
        val size = width * height * samples
        val pixels = Pixels(size)
        val lengths = tags.getValue(STRIP_BYTES)
        tags.getValue(STRIP_OFFSETS).forEachIndexed { index, offset ->
            require(pixels.size() < size)
            val strip = bytes.copyOfRange(offset, offset + lengths[index])
            when (one(COMPRESSION, PLAIN)) {
                LZW -> unpackLzw(strip, pixels)
                DEFLATE, OLD_DEFLATE -> inflate(strip, pixels)
                PACK_BITS -> unpackBits(strip, pixels)
                else -> pixels.write(strip)
            }
        }
        val data = pixels.toByteArray()
        require(data.size >= size)
        if (one(PREDICTOR, 1) == 2) undoPrediction(data, width * samples, samples)
        return Slice(name, height, width, ByteArray(width * height * 3) { data[if (samples == 3) it else it / 3] })
    }

    /** What the strips hold, which may be padded, but to no more than twice the picture: a small file cannot fill the memory. */
    private class Pixels(size: Int) : ByteArrayOutputStream(size) {
        private val limit = 2 * size

        override fun write(bytes: ByteArray, from: Int, length: Int) {
            require(size() + length <= limit)
            super.write(bytes, from, length)
        }
    }

    private fun tags(buffer: ByteBuffer): Map<Int, List<Int>> {
        val start = buffer.getInt(4)
        return (0 until buffer.getShort(start).toInt()).associate { index ->
            val at = start + 2 + 12 * index
            val type = buffer.getShort(at + 2).toInt()
            val count = buffer.getInt(at + 4)
            val size = when (type) { 1, 2, 6, 7 -> 1; 3 -> 2; 4 -> 4; else -> 0 }
            require(count in 0..buffer.capacity())
            val from = if (size * count <= 4) at + 8 else buffer.getInt(at + 8)
            val values = if (size < 2) emptyList() else List(count) { if (size == 2) buffer.getShort(from + 2 * it).toInt() and 0xffff else buffer.getInt(from + 4 * it) }
            (buffer.getShort(at).toInt() and 0xffff) to values
        }
    }

    private fun inflate(strip: ByteArray, out: ByteArrayOutputStream) {
        val inflater = Inflater()
        try {
            inflater.setInput(strip)
            val part = ByteArray(PART)
            while (!inflater.finished()) {
                val count = inflater.inflate(part)
                require(count > 0 || inflater.finished())
                out.write(part, 0, count)
            }
        } finally {
            inflater.end()
        }
    }

    private fun unpackBits(strip: ByteArray, out: ByteArrayOutputStream) {
        var at = 0
        while (at < strip.size) {
            val count = strip[at++].toInt()
            if (count >= 0) {
                out.write(strip, at, count + 1)
                at += count + 1
            } else if (count != -128) {
                out.write(ByteArray(1 - count) { strip[at] })
                at++
            }
        }
    }

    private fun unpackLzw(strip: ByteArray, out: ByteArrayOutputStream) {
        val table = arrayOfNulls<ByteArray>(LZW_ENTRIES)
        for (code in 0 until LZW_CLEAR) table[code] = byteArrayOf(code.toByte())
        var next = LZW_END + 1
        var previous: ByteArray? = null
        var bits = 9
        var position = 0L
        while (position + bits <= strip.size * 8L) {
            var code = 0
            for (bit in position until position + bits) code = code shl 1 or (strip[(bit shr 3).toInt()].toInt() shr (7 - (bit and 7).toInt()) and 1)
            position += bits
            if (code == LZW_END) return
            if (code == LZW_CLEAR) {
                next = LZW_END + 1
                bits = 9
                previous = null
                continue
            }
            val before = previous
            val entry = if (code < next && table[code] != null) table[code]!! else requireNotNull(before).let { it + it[0] }
            out.write(entry)
            if (before != null && next < LZW_ENTRIES) table[next++] = before + entry[0]
            bits = when { next >= 2047 -> 12; next >= 1023 -> 11; next >= 511 -> 10; else -> 9 }
            previous = entry
        }
    }

    private fun undoPrediction(data: ByteArray, row: Int, samples: Int) {
        for (start in 0..data.size - row step row) for (at in start + samples until start + row) data[at] = (data[at] + data[at - samples]).toByte()
    }
}
