package org.edgeseg.core

/** The order of the slices of a folder, by the numbers in their names. */
object Names {
    private val PARTS = Regex("\\d+|\\D+")
    private val LAST_NUMBER = Regex("^(.*?)(\\d+)$")
    private const val MASK_ENDING = "_mask"

    /** A name without its folder and its ending. */
    fun stem(name: String): String = name.substringAfterLast('/').substringBeforeLast('.')

    fun isMask(name: String): Boolean = stem(name).endsWith(MASK_ENDING)

    /** The name of the slice that a mask belongs to. */
    fun sliceOf(mask: String): String = stem(mask).removeSuffix(MASK_ENDING)

    /** Puts `slice_2` before `slice_10`. */
    val natural: Comparator<String> = Comparator { one, other ->
        val (a, b) = parts(one) to parts(other)
        for (i in 0 until minOf(a.size, b.size)) {
            val (x, y) = a[i] to b[i]
            val order = if (x[0].isDigit() && y[0].isDigit()) compareNumbers(x, y) else x.compareTo(y)
            if (order != 0) return@Comparator order
        }
        a.size - b.size
    }

    /**
     * Refuses slices of a folder whose numbers have a gap, or stand twice.
     *
     * @throws SliceException that names the slice that is missing.
     */
    fun requireNoGap(names: List<String>) {
        val numbered = names.map { LAST_NUMBER.matchEntire(stem(it)) }
        if (numbered.any { it == null }) return
        val numbers = numbered.map { it!!.groupValues[1] to it.groupValues[2].toLong() }
        if (numbers.map { it.first }.distinct().size != 1) return
        for ((before, after) in numbers.zipWithNext()) {
            if (after.second > before.second + 1) {
                throw SliceException(
                    "Slice ${before.first}${before.second + 1} is missing between ${before.second} and ${after.second}. A volume needs " +
                        "all of its slices: put it into the folder, or choose the pictures themselves to see each on its own.",
                )
            }
        }
    }

    private fun parts(name: String): List<String> = PARTS.findAll(stem(name).lowercase(java.util.Locale.ROOT)).map { it.value }.toList()

    private fun compareNumbers(one: String, other: String): Int {
        val (a, b) = one.trimStart('0') to other.trimStart('0')
        return if (a.length != b.length) a.length - b.length else a.compareTo(b)
    }
}
