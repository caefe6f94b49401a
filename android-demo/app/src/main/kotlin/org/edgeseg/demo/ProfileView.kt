package org.edgeseg.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View

/** A bar per slice, as high as the tumour on it is large, above the slider; the slice that is shown is marked. */
class ProfileView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private var areas: List<Int> = emptyList()
    private var slice = 0

    fun show(areas: List<Int>, slice: Int) {
        this.areas = areas
        this.slice = slice
        val largest = areas.maxOrNull() ?: 0
        contentDescription = if (largest > 0) {
            context.getString(R.string.profile_described, areas.indexOf(largest) + 1)
        } else {
            context.getString(R.string.profile_empty)
        }
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        if (areas.isEmpty()) return
        val largest = maxOf(areas.max(), 1)
        val step = width.toFloat() / areas.size
        val least = resources.displayMetrics.density * 2
        areas.forEachIndexed { index, area ->
            paint.color = context.getColor(if (index == slice) R.color.accent else if (area > 0) R.color.mask else R.color.line)
            val top = minOf(height - least, height - height * area.toFloat() / largest)
            canvas.drawRoundRect(index * step + step * GAP, top, (index + 1) * step - step * GAP, height.toFloat(), least, least, paint)
        }
    }

    private companion object {
        const val GAP = 0.15f
    }
}
