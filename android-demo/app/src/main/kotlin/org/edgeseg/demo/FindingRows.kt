package org.edgeseg.demo

import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.Gravity
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.Finding
import org.edgeseg.core.Spacing

/** The components of a case, the largest first: a tap goes to one, a button takes it away or puts it back. */
class FindingRows(private val list: LinearLayout, private val goTo: (Int) -> Unit, private val changed: () -> Unit) {
    private var drawn: Any? = null

    fun show(study: Study) {
        val findings = study.findings?.all.orEmpty()
        val now = listOf(study.findings, study.dismissed.toList(), study.spacing)
        if (now == drawn) return
        drawn = now
        list.removeAllViews()
        if (findings.isEmpty()) return
        val context = list.context
        list.addView(TextView(context, null, 0, R.style.Heading).apply { text = context.getString(R.string.findings, findings.size) })
        findings.take(MOST).forEachIndexed { index, one -> list.addView(row(study, index, one)) }
        if (findings.size > MOST) list.addView(TextView(context, null, 0, R.style.Quiet).apply { text = context.getString(R.string.findings_more, findings.size - MOST) })
    }

    private fun row(study: Study, index: Int, one: Finding): LinearLayout {
        val context = list.context
        val away = index in study.dismissed
        val size = size(one, study.spacing)
        val row = LinearLayout(context)
        row.gravity = Gravity.CENTER_VERTICAL
        val jump = Button(context, null, 0, R.style.Row)
        val rule = study.rules[one.mask]
        val place = context.getString(if (one.first == one.last) R.string.finding_slice else R.string.finding_slices, index + 1, size, one.first + 1, one.last + 1)
        jump.text = if (rule.name == null) place else SpannableStringBuilder()
            .append("\u25A0 ", ForegroundColorSpan(Called.colour(context, rule)), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE).append("${rule.name}  ").append(place)
        jump.alpha = if (away) AWAY else 1f
        jump.contentDescription = listOfNotNull(rule.name, context.getString(R.string.finding_described, index + 1, size, one.largest + 1)).joinToString(": ")
        jump.setOnClickListener { goTo(one.largest) }
        row.addView(jump, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, 1f))
        val dismiss = Button(context, null, 0, R.style.Row)
        dismiss.setText(if (away) R.string.finding_restore else R.string.finding_dismiss)
        dismiss.setTextColor(context.getColor(R.color.accent))
        dismiss.contentDescription = context.getString(if (away) R.string.finding_restore_described else R.string.finding_dismiss_described, index + 1)
        dismiss.setOnClickListener {
            study.dismiss(index, !away)
            changed()
        }
        row.addView(dismiss)
        return row
    }

    private fun size(one: Finding, spacing: Spacing?): String =
        if (spacing == null) list.context.getString(R.string.value_px, Screen.whole(one.pixels.toLong()))
        else list.context.getString(R.string.value_ml, Screen.decimal(one.pixels * spacing.voxelMl, 2))

    private companion object {
        const val MOST = 20
        const val AWAY = 0.4f
    }
}
