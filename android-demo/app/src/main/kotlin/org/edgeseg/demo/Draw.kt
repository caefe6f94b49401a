package org.edgeseg.demo

import android.graphics.Bitmap
import org.edgeseg.core.Slice
import org.edgeseg.core.Window
import org.edgeseg.core.outline

/** Pictures of slices and masks. */
object Draw {
    private const val OPAQUE = 0xff shl 24

    /** One channel of a slice in grey, as a window shows it. */
    fun grey(slice: Slice, channel: Int, window: Window): Bitmap {
        val shades = window.shades()
        return bitmap(slice) { at ->
            val level = shades[slice.level(at, channel)]
            OPAQUE or (level shl 16) or (level shl 8) or level
        }
    }

    /** A mask in one colour, filled as [opacity] in [0, 1] says, with an outline where it is asked for. */
    fun mask(slice: Slice, mask: BooleanArray, colour: Int, opacity: Float, outlined: Boolean): Bitmap {
        val fill = (colour and 0xffffff) or ((opacity * 255).toInt() shl 24)
        val edge = if (outlined) outline(mask, slice.height, slice.width) else BooleanArray(mask.size)
        return bitmap(slice) { at -> if (edge[at]) colour else if (mask[at]) fill else 0 }
    }

    /** The pixels on which masks differ in any class, in one colour. */
    fun difference(slice: Slice, masks: List<BooleanArray>, others: List<BooleanArray>, colour: Int): Bitmap {
        val pairs = masks.zip(others)
        return bitmap(slice) { at -> if (pairs.any { (one, other) -> one[at] != other[at] }) colour else 0 }
    }

    private inline fun bitmap(slice: Slice, colour: (Int) -> Int): Bitmap {
        val pixels = IntArray(slice.height * slice.width) { colour(it) }
        return Bitmap.createBitmap(pixels, slice.width, slice.height, Bitmap.Config.ARGB_8888)
    }
}
