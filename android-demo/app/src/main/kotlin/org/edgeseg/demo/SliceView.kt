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

/**
 * One slice with its overlays: pinch to zoom, drag to move, double tap to fit, swipe to the next slice, tap to read a
 * pixel. Where it is [wiping], overlays are shown right of an edge that is dragged.
 */
class SliceView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** Called with -1 or 1 when the user swipes to the previous or the next slice. */
    var onSwipe: (Int) -> Unit = {}

    /** Called with column and row of the pixel that the user taps. */
    var onPixel: (Int, Int) -> Unit = { _, _ -> }
    val marks = Marks(context)

    /** Whether overlays begin at an edge, and where that is, as a share of the width. */
    var wiping = false
    var edge = MIDDLE
        set(value) {
            field = value.coerceIn(0f, 1f)
            invalidate()
            followed.forEach { it.edge = field }
        }

    /** Views of the same slice that zoom, move and wipe as this one does. */
    var followed: List<SliceView> = emptyList()
    private var leader: SliceView? = null
    private var aspect = 1f
    private var wipingNow = false
    private var pixel: Pair<Int, Int>? = null
    private var layers: List<Bitmap> = emptyList()
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val crisp = Paint().apply { isFilterBitmap = false }
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
            override fun onDown(event: MotionEvent): Boolean {
                wipingNow = wiping && abs(event.x - edge * width) < GRIP * resources.displayMetrics.density
                return true
            }

            override fun onSingleTapConfirmed(event: MotionEvent): Boolean {
                pixelAt(event.x, event.y)?.let { (column, row) -> onPixel(column, row) }
                return true
            }

            override fun onDoubleTap(event: MotionEvent): Boolean {
                zoomTo(if (zoom > 1f) 1f else DOUBLE_TAP_ZOOM, event.x, event.y)
                return true
            }

            override fun onScroll(first: MotionEvent?, now: MotionEvent, dx: Float, dy: Float): Boolean {
                if (wipingNow) {
                    (leader ?: this@SliceView).edge = now.x / width
                    return true
                }
                if (zoom <= 1f) return false
                (leader ?: this@SliceView).move(dx, dy)
                return true
            }

            override fun onFling(first: MotionEvent?, last: MotionEvent, speedX: Float, speedY: Float): Boolean {
                if (wipingNow || zoom > 1f || abs(speedX) < abs(speedY)) return false
                onSwipe(if (speedX < 0) 1 else -1)
                return true
            }
        },
    )

    /** Makes this a view that does as another does, and tells its touches to it. */
    fun follow(main: SliceView) {
        leader = main
        onSwipe = { main.onSwipe(it) }
        onPixel = { column, row -> main.onPixel(column, row) }
    }

    /**
     * Shows a picture with overlays above it, all of one size, and a cross on a [pixel] of column and row. A pixel is [aspect]
     * times as high as it is wide.
     */
    fun show(picture: Bitmap, overlays: List<Bitmap>, pixel: Pair<Int, Int>? = null, aspect: Float = 1f) {
        this.aspect = aspect
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
        leader?.let { return it.zoomTo(wanted, x, y) }
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
        val picture = layers.firstOrNull() ?: return
        canvas.drawBitmap(picture, place, smooth)
        canvas.save()
        if (wiping) canvas.clipRect(edge * width, 0f, width.toFloat(), height.toFloat())
        for (layer in layers.drop(1)) canvas.drawBitmap(layer, place, crisp)
        canvas.restore()
        if (wiping) marks.edge(canvas, edge * width, height)
        val scale = scale(picture)
        pixel?.let { (column, row) ->
            val point = floatArrayOf(column + 0.5f, row + 0.5f)
            place.mapPoints(point)
            marks.cross(canvas, point[0], point[1])
        }
        marks.draw(canvas, width, height, scale)
    }

    private fun scale(picture: Bitmap) = minOf(width.toFloat() / picture.width, height / (picture.height * aspect)) * zoom

    /** Places the picture in the middle, as large as fits times the zoom, and never loses it at an edge. */
    private fun settle() {
        val picture = layers.firstOrNull() ?: return
        val scale = scale(picture)
        val roomX = maxOf(0f, (picture.width * scale - width) / 2)
        val tall = picture.height * scale * aspect
        val roomY = maxOf(0f, (tall - height) / 2)
        shiftX = shiftX.coerceIn(-roomX, roomX)
        shiftY = shiftY.coerceIn(-roomY, roomY)
        place.setScale(scale, scale * aspect)
        place.postTranslate((width - picture.width * scale) / 2 + shiftX, (height - tall) / 2 + shiftY)
        invalidate()
        for (other in followed) other.place(zoom, shiftX, shiftY)
    }

    private fun move(dx: Float, dy: Float) {
        shiftX -= dx
        shiftY -= dy
        settle()
    }

    private fun place(zoom: Float, shiftX: Float, shiftY: Float) {
        this.zoom = zoom
        this.shiftX = shiftX
        this.shiftY = shiftY
        settle()
    }

    private companion object {
        const val MIDDLE = 0.5f
        const val GRIP = 36
        const val MAX_ZOOM = 8f
        const val DOUBLE_TAP_ZOOM = 2.5f
    }
}
