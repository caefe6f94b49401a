package org.edgeseg.demo

import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.TextView
import org.edgeseg.core.Segmentation
import org.edgeseg.core.dice

/** How far the run of a case is, and what it found, in words and figures. */
class RunPanel(private val screen: Screen, private val study: Study) {
    private val several = study.rules.size > 1
    private val classRows = ClassRows(part(R.id.classes))
    private val trustPanel = TrustPanel(part(R.id.trust), study)

    fun show(found: Segmentation?, reading: Reading) {
        val run = study.run
        part<TextView>(R.id.state).text = when (run) {
            is RunState.Running -> if (run.done == 0) screen.getString(R.string.waiting) else screen.getString(R.string.running, run.done, study.volume.slices.size)
            is RunState.Done -> area(reading.areas(found)[reading.index], reading)
            RunState.Cancelled -> screen.getString(R.string.cancelled)
            is RunState.Failed -> ""
        }
        part<TextView>(R.id.difference_state).apply {
            text = difference(reading)
            visibility = if (reading.differing) View.VISIBLE else View.GONE
        }
        part<ProgressBar>(R.id.progress).apply {
            visibility = if (run is RunState.Running) View.VISIBLE else View.GONE
            max = study.volume.slices.size
            progress = (run as? RunState.Running)?.done ?: 0
        }
        for (id in listOf(R.id.results, R.id.share)) part<View>(id).apply {
            isEnabled = found != null
            alpha = if (found != null) 1f else DISABLED
        }
        part<Button>(R.id.run).setText(if (run is RunState.Running) R.string.cancel else R.string.run_again)
        showFigures(found)
        classRows.show(study, found)
        trustPanel.show()
    }

    /** What is drawn on one picture, in mm² where the spacing is known. */
    fun area(pixels: Int, reading: Reading): String {
        val spacing = study.spacing
        return when {
            pixels == 0 -> screen.getString(if (several) R.string.classes_none else R.string.tumour_none)
            spacing == null -> screen.getString(if (several) R.string.classes_pixels else R.string.tumour_pixels, Screen.whole(pixels.toLong()))
            else -> screen.getString(if (several) R.string.classes_mm2 else R.string.tumour_mm2, Screen.whole(reading.section.pixelMm(spacing).run { pixels * first * second }.toLong()))
        }
    }

    private fun showFigures(found: Segmentation?) {
        val figures = part<LinearLayout>(R.id.figures)
        val now = listOf(found, study.spacing)
        if (figures.tag == now && figures.childCount > 0) return
        figures.tag = now
        figures.removeAllViews()
        if (found == null) return
        val spacing = study.spacing
        val label = TrustWords(screen, study).interval ?: screen.getString(if (several) R.string.classes_label else R.string.volume_label)
        if (spacing != null) screen.figure(figures, screen.getString(R.string.value_ml, Screen.decimal(found.tumourPixels * spacing.voxelMl, 1)), label)
        else screen.figure(figures, Screen.whole(found.tumourPixels), screen.getString(R.string.voxels_label))
        screen.figure(figures, screen.getString(R.string.found_of, found.slicesWithTumour, found.masks.size), screen.getString(R.string.found_label))
        val overlap = study.volume.reference?.takeIf { study.rules.size == 1 }?.let { dice(found.masks, it) } ?: return
        screen.figure(figures, Screen.decimal(overlap, 3), screen.getString(R.string.dice_label))
    }

    private fun difference(reading: Reading): String = when (val float = study.float) {
        FloatState.None -> ""
        FloatState.Running -> screen.getString(R.string.difference_running)
        is FloatState.Failed -> float.message
        is FloatState.Done -> {
            val (all, of) = float.flips.sumOf { it.toLong() } to float.segmentation.masks.sumOf { it.size.toLong() }
            val (one, other) = listOf(float.segmentation, float.against).map { found -> found.classes.map { reading.section.mask(it.masks, reading.index) } }
            val here = one.first().indices.count { at -> one.indices.any { one[it][at] != other[it][at] } }
            screen.getString(R.string.difference_found, Screen.whole(all), Screen.whole(of), Screen.whole(here.toLong()))
        }
    }

    private fun <T : View> part(id: Int): T = requireNotNull(screen.findViewById<T>(id))

    private companion object {
        const val DISABLED = 0.4f
    }
}
