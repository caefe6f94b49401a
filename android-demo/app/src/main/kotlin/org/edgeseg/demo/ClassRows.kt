package org.edgeseg.demo

import android.content.Context
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.Gravity
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.Segmentation

/** For a network of several masks a row each: its colour and name, its volume, and in how many components; below it how far to trust it. */
class ClassRows(private val list: LinearLayout) {
    private var drawn: Any? = null

    fun show(study: Study, found: Segmentation?) {
        val now = listOf(found, study.spacing)
        if (now == drawn) return
        drawn = now
        list.removeAllViews()
        if (found == null || study.rules.size == 1) return
        for (number in study.rules.indices) list.addView(entry(study, found, number))
    }

    private fun entry(study: Study, found: Segmentation, number: Int): LinearLayout {
        val entry = LinearLayout(list.context).apply { orientation = LinearLayout.VERTICAL }
        entry.addView(row(study, found, number))
        for ((text, style) in TrustWords(list.context, study, number).lines) entry.addView(TextView(list.context, null, 0, style).apply { this.text = text })
        return entry
    }

    private fun row(study: Study, found: Segmentation, number: Int): LinearLayout {
        val (context, rule) = list.context to study.rules[number]
        val name = SpannableStringBuilder().append("\u25A0 ", ForegroundColorSpan(Called.colour(context, rule)), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE).append(Called.mask(context, rule))
        val row = LinearLayout(context)
        row.setPadding(0, PADDING, 0, PADDING)
        val components = study.components(number)
        for ((text, weight) in listOf(name to 2f, amount(context, study, found, number) to 1f, context.resources.getQuantityString(R.plurals.components, components, components) to 2f)) {
            val cell = TextView(context, null, 0, R.style.Body)
            cell.text = text
            cell.gravity = if (row.childCount == 0) Gravity.START else Gravity.END
            row.addView(cell, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, weight))
        }
        return row
    }

    companion object {
        private const val PADDING = 4

        /** The volume of one mask, or without spacing its pixels. */
        fun amount(context: Context, study: Study, found: Segmentation, number: Int): String {
            val voxels = found.classes[number].total
            return study.spacing?.let { context.getString(R.string.value_ml, Screen.decimal(voxels * it.voxelMl, 1)) } ?: context.getString(R.string.value_px, Screen.whole(voxels))
        }
    }
}
