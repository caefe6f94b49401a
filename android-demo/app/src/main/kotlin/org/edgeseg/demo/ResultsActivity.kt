package org.edgeseg.demo

import android.os.Bundle
import android.view.Gravity
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Spacing
import org.edgeseg.core.dice

/** What a run found, in figures: for the case, and slice by slice. */
class ResultsActivity : Screen() {
    private lateinit var study: Study

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        study = app.studies[intent.getStringExtra(ViewerActivity.STUDY)] ?: return finish()
        open(R.layout.page, "${getString(R.string.results_title)} · ${study.volume.name}")
        show()
    }

    override fun show() {
        if (isFinishing) return
        val found = study.shown
        val columns = columns()
        val summary = card(columns, R.string.results_title)
        if (found == null) {
            TextView(this, null, 0, R.style.Body).also { it.setText(R.string.results_none) }.let(summary::addView)
            return
        }
        showSummary(summary, found)
        showSlices(card(columns, R.string.results_slices), found)
    }

    private fun showSummary(card: LinearLayout, found: Segmentation) {
        val spacing = study.spacing
        val words = TrustWords(this, study)
        if (study.rules.size > 1) showClasses(card, found, words)
        val largest = found.pixels.max()
        pair(card, R.string.results_with, getString(R.string.found_of, found.slicesWithTumour, found.masks.size))
        pair(card, R.string.results_pixels, whole(found.tumourPixels))
        val volume = spacing?.let { getString(R.string.value_ml, decimal(found.tumourPixels * it.voxelMl, 1)) } ?: getString(R.string.value_unknown)
        pair(card, R.string.results_volume, listOfNotNull(volume, words.interval).joinToString(" "))
        OddWords.told(this, study)?.let { pair(card, R.string.results_odd, it) }
        if (study.rules.size == 1) showTrust(card, words)
        pair(card, R.string.results_largest, area(largest, spacing))
        pair(card, R.string.results_dice, study.volume.reference?.takeIf { study.rules.size == 1 }?.let { dice(found.masks, it) }?.let { decimal(it, 3) } ?: getString(R.string.value_none))
        pair(card, R.string.results_ms, ms(found.sliceMs.sorted()[found.sliceMs.size / 2]))
        pair(card, R.string.results_ms_max, ms(found.sliceMs.max()))
        pair(card, R.string.results_post, ms(found.postMs))
        pair(card, R.string.results_rule, getString(if (study.volume.whole) R.string.rule_volume else R.string.rule_slices))
        pair(card, R.string.results_device, listOf(Hardware.model(), Hardware.cpu()).distinct().joinToString())
        (app.model as? ModelState.Ready)?.segmenter?.engine?.let {
            pair(card, R.string.results_runtime, listOf(it.runtime, it.options.accelerator.id, threads(it.options.threads)).joinToString())
        }
        if (!study.asksSpacing) return
        val button = Button(this, null, 0, R.style.Action)
        button.setText(R.string.spacing_set)
        button.setOnClickListener { SpacingDialog.show(this, study) { app.changed() } }
        val params = LinearLayout.LayoutParams(ViewGroup.LayoutParams.WRAP_CONTENT, ViewGroup.LayoutParams.WRAP_CONTENT)
        params.topMargin = dp(12)
        card.addView(button, params)
    }

    private fun showTrust(card: LinearLayout, words: TrustWords) {
        if (!words.known) return
        pair(card, R.string.results_look, words.why ?: getString(R.string.trust_no_look))
        words.overlap?.let { pair(card, R.string.results_overlap, it) }
        TrustWords.remarks(this, study).forEach { pair(card, R.string.results_estimate, it) }
    }

    /** What is told of the case, and a row for each class; what follows them is of all classes together. */
    private fun showClasses(card: LinearLayout, found: Segmentation, words: TrustWords) {
        showTrust(card, words)
        val overlap = if (words.known) getString(R.string.results_class_overlap) else null
        row(card, R.style.Quiet, getString(R.string.results_class), getString(R.string.results_class_size), overlap, getString(R.string.results_rule))
        study.rules.forEachIndexed { number, rule ->
            val own = TrustWords(this, study, number)
            val expected = if (words.known) own.overlap ?: getString(R.string.value_none) else null
            row(card, R.style.Body, Called.mask(this, rule), listOfNotNull(ClassRows.amount(this, study, found, number), own.interval).joinToString(" "), expected, study.components(number).toString())
            own.why?.let { why -> card.addView(TextView(this, null, 0, R.style.Look).apply { text = getString(R.string.trust_look, why) }) }
        }
        row(card, R.style.Quiet, getString(R.string.results_together))
    }

    private fun showSlices(card: LinearLayout, found: Segmentation) {
        row(card, R.style.Quiet, getString(R.string.results_row), getString(R.string.results_row_area), getString(R.string.results_row_ms))
        found.pixels.forEachIndexed { index, pixels ->
            val area = if (pixels == 0) getString(R.string.value_none) else area(pixels, study.spacing)
            row(card, if (pixels == 0) R.style.Quiet else R.style.Body, (index + 1).toString(), area, decimal(found.sliceMs[index], 1))
        }
    }

    /** Cells of one width side by side, without those that are null. */
    private fun row(card: LinearLayout, style: Int, vararg cells: String?) {
        val row = LinearLayout(this)
        row.setPadding(0, dp(2), 0, dp(2))
        for (text in cells.filterNotNull()) {
            val cell = TextView(this, null, 0, style)
            cell.text = text
            cell.gravity = if (row.childCount == 0) Gravity.START else Gravity.END
            row.addView(cell, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, 1f))
        }
        card.addView(row)
    }

    private fun area(pixels: Int, spacing: Spacing?): String =
        if (spacing == null) getString(R.string.value_px, whole(pixels.toLong())) else getString(R.string.value_mm2, whole((pixels * spacing.pixelMm2).toLong()))

    private fun ms(value: Double) = getString(R.string.value_ms, decimal(value, 1))
}
