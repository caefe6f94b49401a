package org.edgeseg.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import org.edgeseg.core.Plane
import org.edgeseg.core.ScaleBar

/** Which side of the patient the left edge of a picture shows; pictures do not say. */
enum class Side(val left: Int, val right: Int) {
    UNKNOWN(R.string.side_unknown, R.string.side_unknown),
    RIGHT(R.string.side_right, R.string.side_left),
    LEFT(R.string.side_left, R.string.side_right),
}

/** What the edges of a picture show of the patient, as texts of the screen; null where it is not known. */
class Edges(val left: Int?, val right: Int?, val top: Int? = null, val bottom: Int? = null) {
    companion object {
        /** [oriented] where the file says how the patient lies: then slices go from feet to head, and rows from front to back. */
        fun of(side: Side, oriented: Boolean, plane: Plane): Edges {
            val (left, right) = if (side == Side.UNKNOWN) null to null else side.left to side.right
            return when {
                !oriented -> if (plane == Plane.SAGITTAL) Edges(null, null) else Edges(left, right)
                plane == Plane.AXIAL -> Edges(left, right, R.string.side_front, R.string.side_back)
                plane == Plane.CORONAL -> Edges(left, right, R.string.side_head, R.string.side_feet)
                else -> Edges(R.string.side_front, R.string.side_back, R.string.side_head, R.string.side_feet)
            }
        }
    }
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
    var edges = Edges(null, null)

    /** Which of several views side by side this is, out of how many: the first says what is not known, the last has the scale. */
    var pane = 0 to 1

    /** What stands at the upper edge; nothing where it is empty. */
    var title = ""

    /** Width of a pixel of the slice, where it is known. */
    var columnMm: Double? = null

    /** The scale bar as it was drawn last, for tests and screen readers. */
    var barMm: Int? = null
        private set

    /** Draws over a view of [width] x [height] whose slice is shown [scale] times as large as it is stored. */
    fun draw(canvas: Canvas, width: Int, height: Int, scale: Float) {
        val margin = MARGIN * density
        val (number, of) = pane
        edges.left?.let { put(canvas, it, Paint.Align.LEFT, margin, height / 2f) }
        if (edges.left == null && number == 0) put(canvas, R.string.side_unknown, Paint.Align.LEFT, margin, if (of == 1) height / 2f else height - margin - 2 * text.textSize)
        edges.right?.let { put(canvas, it, Paint.Align.RIGHT, width - margin, height / 2f) }
        edges.top?.let { put(canvas, it, Paint.Align.CENTER, width / 2f, margin + text.textSize) }
        edges.bottom?.let { put(canvas, it, Paint.Align.CENTER, width / 2f, height - margin) }
        text.textAlign = Paint.Align.RIGHT
        canvas.drawText(title, width - margin, margin + text.textSize, text)
        val mm = columnMm
        barMm = mm?.let { ScaleBar.millimetres(width / scale * it / LONGEST) }
        val bar = barMm
        if (number < of - 1) return
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

    private fun put(canvas: Canvas, what: Int, align: Paint.Align, x: Float, y: Float) {
        text.textAlign = align
        canvas.drawText(context.getString(what), x, y, text)
    }

    /** Draws the edge from which on masks are shown. */
    fun edge(canvas: Canvas, x: Float, height: Int) {
        canvas.drawLine(x, 0f, x, height.toFloat(), line)
        canvas.drawCircle(x, height * HANDLE, 2 * TICK * density, line)
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
        const val HANDLE = 0.75f
    }
}
