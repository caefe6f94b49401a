package org.edgeseg.demo

import android.content.Context
import org.edgeseg.core.Oddity

/** What is odd about an input, in the words of `edgeseg run`. */
object OddWords {
    private val SAID = mapOf(
        Oddity.MISSING to R.string.odd_missing,
        Oddity.COPIED to R.string.odd_copied,
        Oddity.EMPTY to R.string.odd_empty,
        "swapped" to R.string.odd_swapped,
        "cycled" to R.string.odd_cycled,
        "apart" to R.string.odd_apart,
        "upside-down" to R.string.odd_upside_down,
        "turned" to R.string.odd_turned,
        "cut-out" to R.string.odd_cut_out,
        "cut-off" to R.string.odd_cut_off,
        "too-large" to R.string.odd_too_large,
        "too-small" to R.string.odd_too_small,
        "uneven-sides" to R.string.odd_uneven_sides,
        "uneven-front" to R.string.odd_uneven_front,
        "uneven-back" to R.string.odd_uneven_back,
        "too-bright" to R.string.odd_too_bright,
        "too-dark" to R.string.odd_too_dark,
        "blurred" to R.string.odd_blurred,
        "noisy" to R.string.odd_noisy,
        "inverted" to R.string.odd_inverted,
        "marked" to R.string.odd_marked,
    )

    /** A sentence; null where nothing is odd, or nothing was run yet. */
    fun told(context: Context, study: Study): String? = study.oddity?.let { odd ->
        val means = when (odd.kind) {
            Oddity.COPIED -> R.string.odd_means_copied
            Oddity.MISSING -> R.string.odd_means_missing
            else -> R.string.odd_means
        }
        context.getString(R.string.odd_input, what(context, odd), context.getString(means))
    }

    /** The clause that says a kind, and the channels that it names. */
    fun what(context: Context, odd: Oddity): String = context.getString(SAID.getValue(odd.kind), *odd.channels.toTypedArray())
}
