package org.edgeseg.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import org.edgeseg.core.ScaleBar

/** Which side of the patient the left edge of a picture shows; pictures do not say. */
enum class Side(val left: Int, val right: Int) {
    UNKNOWN(R.string.side_unknown, R.string.side_unknown),
    RIGHT(R.string.side_right, R.string.side_left),
    LEFT(R.string.side_left, R.string.side_right),
}

/** What stands on the picture beside the anatomy: sides, scale bar and the pixel that was asked for. */
class Marks(private val context: Context) {
    private val density = context.resources.displayMetrics.density
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.mark)
        textSize = TEXT * context.resources.displayMetrics.scaledDensity
        setShadowLayer(2 * density, 0f, 0f, context.getColor(R.color.stage))
    }
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.mark)
        strokeWidth = 2 * density
        style = Paint.Style.STROKE
    }
    var side = Side.UNKNOWN

    /** Width of a pixel of the slice, where it is known. */
    var columnMm: Double? = null

    /** The scale bar as it was drawn last, for tests and screen readers. */
    var barMm: Int? = null
        private set

    /** Draws over a view of [width] x [height] whose slice is shown [scale] times as large as it is stored. */
    fun draw(canvas: Canvas, width: Int, height: Int, scale: Float) {
        val margin = MARGIN * density
        text.textAlign = Paint.Align.LEFT
        canvas.drawText(context.getString(side.left), margin, height / 2f, text)
        if (side != Side.UNKNOWN) {
            text.textAlign = Paint.Align.RIGHT
            canvas.drawText(context.getString(side.right), width - margin, height / 2f, text)
        }
        val mm = columnMm
        barMm = mm?.let { ScaleBar.millimetres(width / scale * it / LONGEST) }
        val bar = barMm
        text.textAlign = Paint.Align.RIGHT
        if (mm == null || bar == null) {
            canvas.drawText(context.getString(R.string.scale_unknown), width - margin, height - margin, text)
            return
        }
        val length = (bar / mm * scale).toFloat()
        val (right, bottom) = width - margin to height - margin
        canvas.drawLine(right - length, bottom, right, bottom, line)
        for (end in listOf(right - length, right)) canvas.drawLine(end, bottom - TICK * density, end, bottom, line)
        canvas.drawText(context.getString(R.string.scale_mm, bar), right, bottom - 2 * TICK * density, text)
    }

    /** Draws a cross with an open middle at a point of the view. */
    fun cross(canvas: Canvas, x: Float, y: Float) {
        val (near, far) = 4 * density to 12 * density
        for ((dx, dy) in listOf(1 to 0, -1 to 0, 0 to 1, 0 to -1)) canvas.drawLine(x + dx * near, y + dy * near, x + dx * far, y + dy * far, line)
    }

    private companion object {
        const val TEXT = 16f
        const val MARGIN = 16f
        const val TICK = 6f
        const val LONGEST = 4
    }
}
