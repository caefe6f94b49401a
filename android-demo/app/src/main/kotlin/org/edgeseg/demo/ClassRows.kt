package org.edgeseg.demo

import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.Gravity
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.Segmentation

/** For a network of several masks a row each: its colour and name, its volume, and in how many components. */
class ClassRows(private val list: LinearLayout) {
    private var drawn: Any? = null

    fun show(study: Study, found: Segmentation?) {
        val now = listOf(found, study.spacing)
        if (now == drawn) return
        drawn = now
        list.removeAllViews()
        if (found == null || study.rules.size == 1) return
        study.rules.forEachIndexed { number, rule ->
            val context = list.context
            val name = SpannableStringBuilder().append("\u25A0 ", ForegroundColorSpan(Called.colour(context, rule)), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE).append(Called.mask(context, rule))
            val row = LinearLayout(context)
            row.setPadding(0, PADDING, 0, PADDING)
            val components = study.components(number)
            for ((text, weight) in listOf(name to 2f, amount(study, found.classes[number].total) to 1f, context.resources.getQuantityString(R.plurals.components, components, components) to 2f)) {
                val cell = TextView(context, null, 0, R.style.Body)
                cell.text = text
                cell.gravity = if (row.childCount == 0) Gravity.START else Gravity.END
                row.addView(cell, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, weight))
            }
            list.addView(row)
        }
    }

    private fun amount(study: Study, voxels: Long): String = study.spacing?.let { list.context.getString(R.string.value_ml, Screen.decimal(voxels * it.voxelMl, 1)) }
        ?: list.context.getString(R.string.value_px, Screen.whole(voxels))

    private companion object {
        const val PADDING = 4
    }
}
