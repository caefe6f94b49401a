package org.edgeseg.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View
import kotlin.math.abs
import kotlin.math.floor

/** One slice with its overlays: pinch to zoom, drag to move, double tap to fit, swipe to the next slice, tap to read a pixel. */
class SliceView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** Called with -1 or 1 when the user swipes to the previous or the next slice. */
    var onSwipe: (Int) -> Unit = {}

    /** Called with column and row of the pixel that the user taps. */
    var onPixel: (Int, Int) -> Unit = { _, _ -> }
    val marks = Marks(context)
    private var pixel: Pair<Int, Int>? = null
    private var layers: List<Bitmap> = emptyList()
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val crisp = Paint()
    private val place = Matrix()
    var zoom = 1f
        private set
    private var shiftX = 0f
    private var shiftY = 0f

    private val scales = ScaleGestureDetector(
        context,
        object : ScaleGestureDetector.SimpleOnScaleGestureListener() {
            override fun onScale(detector: ScaleGestureDetector): Boolean {
                zoomTo(zoom * detector.scaleFactor, detector.focusX, detector.focusY)
                return true
            }
        },
    )
    private val gestures = GestureDetector(
        context,
        object : GestureDetector.SimpleOnGestureListener() {
            override fun onDown(event: MotionEvent) = true

            override fun onSingleTapConfirmed(event: MotionEvent): Boolean {
                pixelAt(event.x, event.y)?.let { (column, row) -> onPixel(column, row) }
                return true
            }

            override fun onDoubleTap(event: MotionEvent): Boolean {
                zoomTo(if (zoom > 1f) 1f else DOUBLE_TAP_ZOOM, event.x, event.y)
                return true
            }

            override fun onScroll(first: MotionEvent?, now: MotionEvent, dx: Float, dy: Float): Boolean {
                if (zoom <= 1f) return false
                shiftX -= dx
                shiftY -= dy
                settle()
                return true
            }

            override fun onFling(first: MotionEvent?, last: MotionEvent, speedX: Float, speedY: Float): Boolean {
                if (zoom > 1f || abs(speedX) < abs(speedY)) return false
                onSwipe(if (speedX < 0) 1 else -1)
                return true
            }
        },
    )

    /** Shows a picture with overlays above it, all of one size, and a cross on a [pixel] of column and row. */
    fun show(picture: Bitmap, overlays: List<Bitmap>, pixel: Pair<Int, Int>? = null) {
        layers = listOf(picture) + overlays
        this.pixel = pixel
        settle()
    }

    /** Column and row of the pixel at a point of the view; null beside the picture. */
    fun pixelAt(x: Float, y: Float): Pair<Int, Int>? {
        val picture = layers.firstOrNull() ?: return null
        val point = floatArrayOf(x, y)
        val back = Matrix()
        if (!place.invert(back)) return null
        back.mapPoints(point)
        val (column, row) = floor(point[0]).toInt() to floor(point[1]).toInt()
        return if (column in 0 until picture.width && row in 0 until picture.height) column to row else null
    }

    /** Zooms about a point of the view. */
    fun zoomTo(wanted: Float, x: Float, y: Float) {
        val next = wanted.coerceIn(1f, MAX_ZOOM)
        shiftX = (shiftX - (x - width / 2f)) * next / zoom + (x - width / 2f)
        shiftY = (shiftY - (y - height / 2f)) * next / zoom + (y - height / 2f)
        zoom = next
        settle()
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        scales.onTouchEvent(event)
        gestures.onTouchEvent(event)
        if (event.actionMasked == MotionEvent.ACTION_UP) performClick()
        return true
    }

    override fun performClick(): Boolean {
        super.performClick()
        return true
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) = settle()

    override fun onDraw(canvas: Canvas) {
        layers.forEachIndexed { index, layer -> canvas.drawBitmap(layer, place, if (index == 0) smooth else crisp) }
        val picture = layers.firstOrNull() ?: return
        val scale = scale(picture)
        pixel?.let { (column, row) ->
            val point = floatArrayOf(column + 0.5f, row + 0.5f)
            place.mapPoints(point)
            marks.cross(canvas, point[0], point[1])
        }
        marks.draw(canvas, width, height, scale)
    }

    private fun scale(picture: Bitmap) = minOf(width.toFloat() / picture.width, height.toFloat() / picture.height) * zoom

    /** Places the picture in the middle, as large as fits times the zoom, and never loses it at an edge. */
    private fun settle() {
        val picture = layers.firstOrNull() ?: return
        val scale = scale(picture)
        val roomX = maxOf(0f, (picture.width * scale - width) / 2)
        val roomY = maxOf(0f, (picture.height * scale - height) / 2)
        shiftX = shiftX.coerceIn(-roomX, roomX)
        shiftY = shiftY.coerceIn(-roomY, roomY)
        place.setScale(scale, scale)
        place.postTranslate((width - picture.width * scale) / 2 + shiftX, (height - picture.height * scale) / 2 + shiftY)
        invalidate()
    }

    private companion object {
        const val MAX_ZOOM = 8f
        const val DOUBLE_TAP_ZOOM = 2.5f
    }
}
