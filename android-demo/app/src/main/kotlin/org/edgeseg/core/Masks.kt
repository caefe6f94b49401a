package org.edgeseg.core

import java.security.MessageDigest

/** The SHA-256 of bytes, one part after the other, in hex. */
fun sha256(vararg parts: ByteArray): String {
    val digest = MessageDigest.getInstance("SHA-256")
    for (part in parts) digest.update(part)
    return digest.digest().joinToString("") { "%02x".format(java.util.Locale.ROOT, it) }
}

/** Masks as run lengths: how many pixels are 0, then how many are 1, and so on, as docs/reference/contract.md has them. */
object Runs {
    fun decode(text: String, pixels: Int): BooleanArray {
        val mask = BooleanArray(pixels)
        var at = 0L
        text.split(' ').filter { it.isNotEmpty() }.forEachIndexed { index, word ->
            val length = word.toIntOrNull()?.takeIf { it >= 0 }
            if (length == null || at + length > pixels) throw JsonException("mask runs: '$word' does not fit $pixels pixels")
            if (index % 2 == 1) mask.fill(true, at.toInt(), at.toInt() + length)
            at += length
        }
        return mask
    }

    /** How many pixels of two masks differ. */
    fun flips(one: BooleanArray, other: BooleanArray): Int = one.indices.count { one[it] != other[it] }
}

/** The pixels of a mask that have a neighbour outside it, for drawing an outline one pixel wide. */
fun outline(mask: BooleanArray, height: Int, width: Int): BooleanArray = BooleanArray(mask.size) { at ->
    val (y, x) = at / width to at % width
    mask[at] && (
        y == 0 || x == 0 || y == height - 1 || x == width - 1 ||
            !mask[at - 1] || !mask[at + 1] || !mask[at - width] || !mask[at + width]
        )
}

/** Overlap of two masks, 2 |A and B| / (|A| + |B|); null where both are empty. */
fun dice(one: List<BooleanArray>, other: List<BooleanArray>): Double? {
    var both = 0L
    var sum = 0L
    for (index in one.indices) for (at in one[index].indices) {
        if (one[index][at] && other[index][at]) both++
        if (one[index][at]) sum++
        if (other[index][at]) sum++
    }
    return if (sum == 0L) null else 2.0 * both / sum
}
