package org.edgeseg.core

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Reads the TIFF files that slices are kept in and that Android does not decode (TIFF 6.0): one picture of 8-bit grey or
 * RGB in strips, stored plainly, with LZW or with PackBits, with or without horizontal prediction.
 */
object Tiff {
    private const val HEADER = 8
    private const val MAX_SIDE = 2048
    private const val WIDTH = 256
    private const val HEIGHT = 257
    private const val BITS = 258
    private const val COMPRESSION = 259
    private const val STRIP_OFFSETS = 273
    private const val SAMPLES = 277
    private const val STRIP_BYTES = 279
    private const val PLANAR = 284
    private const val PREDICTOR = 317
    private const val TILE_WIDTH = 322
    private const val LZW_CLEAR = 256
    private const val LZW_END = 257
    private const val LZW_ENTRIES = 4096

    fun isTiff(bytes: ByteArray): Boolean =
        bytes.size > HEADER && (bytes.decodeToString(0, 2) == "II" && bytes[2] == 42.toByte() || bytes.decodeToString(0, 2) == "MM" && bytes[3] == 42.toByte())

    /** Decodes a TIFF; grey becomes three equal channels. */
    fun decode(name: String, bytes: ByteArray): Slice = try {
        read(name, bytes)
    } catch (error: IndexOutOfBoundsException) {
        throw SliceException("$name is cut short or damaged. Copy it again.", error)
    } catch (error: java.nio.BufferUnderflowException) {
        throw SliceException("$name is cut short or damaged. Copy it again.", error)
    } catch (error: IllegalArgumentException) {
        throw SliceException("$name is cut short or damaged. Copy it again.", error)
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
            one(COMPRESSION, 1) !in setOf(1, 5, 32773) -> "compression ${one(COMPRESSION, 1)}; none, LZW or PackBits is needed"
            else -> null
        }
        if (problem != null) throw SliceException("$name has $problem. Save it as PNG, or as an 8-bit RGB TIFF.")
        val pixels = ByteArrayOutputStream()
        val lengths = tags.getValue(STRIP_BYTES)
        tags.getValue(STRIP_OFFSETS).forEachIndexed { index, offset ->
            val strip = bytes.copyOfRange(offset, offset + lengths[index])
            require(offset + lengths[index] <= bytes.size)
            when (one(COMPRESSION, 1)) {
                5 -> unpackLzw(strip, pixels)
                32773 -> unpackBits(strip, pixels)
                else -> pixels.write(strip)
            }
        }
        val data = pixels.toByteArray()
        require(data.size >= width * height * samples)
        if (one(PREDICTOR, 1) == 2) undoPrediction(data, width * samples, samples)
        return Slice(name, height, width, ByteArray(width * height * 3) { data[if (samples == 3) it else it / 3] })
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

    private fun unpackBits(strip: ByteArray, out: ByteArrayOutputStream) {
        var at = 0
        while (at < strip.size) {
            val count = strip[at++].toInt()
            if (count >= 0) {
                out.write(strip, at, count + 1)
                at += count + 1
            } else if (count != -128) {
                repeat(1 - count) { out.write(strip[at].toInt()) }
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
