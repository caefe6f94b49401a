package org.edgeseg.demo

import android.content.Context
import org.edgeseg.core.MaskRule

/** What channels and masks are called on the screen: as the contract names them, but for the sequences that have a usual writing. */
object Called {
    private val SEQUENCES = mapOf("pre" to R.string.sequence_pre, "flair" to R.string.sequence_flair, "post" to R.string.sequence_post)

    fun channel(context: Context, name: String): String = SEQUENCES[name]?.let(context::getString) ?: name

    fun mask(context: Context, rule: MaskRule): String = rule.name ?: context.getString(R.string.legend_mask)

    /** The colour that a mask is drawn in, opaque. */
    fun colour(context: Context, rule: MaskRule): Int = rule.colour?.let { OPAQUE or it } ?: context.getColor(R.color.mask)

    private const val OPAQUE = 0xff shl 24
}
