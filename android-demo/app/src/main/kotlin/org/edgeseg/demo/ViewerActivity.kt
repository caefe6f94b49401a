package org.edgeseg.demo

import android.content.Intent
import android.content.res.Configuration
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Segmentation
import org.edgeseg.core.dice

/** A case, slice by slice, with what the model drew on it. */
class ViewerActivity : Screen() {
    private lateinit var study: Study
    private var index = 0
    private var channel = Draw.FLAIR
    private var opacity = DEFAULT_OPACITY
    private var outlined = true
    private var referenced = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        study = app.studies[intent.getStringExtra(STUDY)] ?: return finish()
        index = state?.getInt(INDEX) ?: (study.volume.slices.size / 2)
        channel = state?.getInt(CHANNEL) ?: channel
        opacity = state?.getInt(OPACITY) ?: opacity
        outlined = state?.getBoolean(OUTLINED) ?: outlined
        referenced = state?.getBoolean(REFERENCED) ?: referenced
        open(R.layout.viewer, study.volume.name)
        connectSlices()
        connectPanel()
        show()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putInt(INDEX, index)
        state.putInt(CHANNEL, channel)
        state.putInt(OPACITY, opacity)
        state.putBoolean(OUTLINED, outlined)
        state.putBoolean(REFERENCED, referenced)
    }

    override fun show() {
        if (isFinishing) return
        val found = (study.run as? RunState.Done)?.segmentation
        showSlice(found)
        showRun(found)
    }

    private fun connectSlices() {
        val slider = part<SeekBar>(R.id.slider)
        slider.max = study.volume.slices.size - 1
        slider.progress = index
        slider.setOnSeekBarChangeListener(Slid { goTo(it) })
        part<View>(R.id.previous).setOnClickListener { goTo(index - 1) }
        part<View>(R.id.next).setOnClickListener { goTo(index + 1) }
        part<SliceView>(R.id.slice).onSwipe = { goTo(index + it) }
    }

    private fun connectPanel() {
        val sequences = part<RadioGroup>(R.id.sequences)
        val ids = listOf(R.id.pre, R.id.flair, R.id.post)
        sequences.check(ids[channel])
        sequences.setOnCheckedChangeListener { _, id ->
            channel = ids.indexOf(id)
            show()
        }
        val slider = part<SeekBar>(R.id.opacity)
        slider.progress = opacity
        slider.setOnSeekBarChangeListener(
            Slid {
                opacity = it
                show()
            },
        )
        part<Switch>(R.id.outline).apply {
            isChecked = outlined
            setOnCheckedChangeListener { _, on ->
                outlined = on
                show()
            }
        }
        part<Switch>(R.id.reference).apply {
            isEnabled = study.volume.reference != null
            if (!isEnabled) setText(R.string.reference_none)
            isChecked = referenced
            setOnCheckedChangeListener { _, on ->
                referenced = on
                show()
            }
        }
        part<View>(R.id.results).setOnClickListener {
            startActivity(Intent(this, ResultsActivity::class.java).putExtra(STUDY, study.id))
        }
        part<View>(R.id.run).setOnClickListener { if (study.run is RunState.Running) app.cancel(study) else app.start(study) }
    }

    private fun goTo(slice: Int) {
        val next = slice.coerceIn(0, study.volume.slices.size - 1)
        if (next == index) return
        index = next
        part<SeekBar>(R.id.slider).progress = index
        show()
    }

    private fun showSlice(found: Segmentation?) {
        val slice = study.volume.slices[index]
        val overlays = ArrayList<android.graphics.Bitmap>()
        if (found != null) overlays += Draw.mask(slice, found.masks[index], getColor(R.color.mask), opacity / PERCENT, outlined)
        val reference = study.volume.reference
        if (referenced && reference != null) overlays += Draw.mask(slice, reference[index], getColor(R.color.mask_reference), 0f, outlined = true)
        val view = part<SliceView>(R.id.slice)
        view.show(Draw.grey(slice, channel), overlays)
        val count = study.volume.slices.size
        val area = found?.pixels?.get(index) ?: 0
        val drawn = if (area == 0) getString(R.string.tumour_none) else getString(R.string.tumour_pixels, whole(area.toLong()))
        view.contentDescription = getString(R.string.slice_described, getString(SEQUENCES[channel]), index + 1, count, drawn)
        part<TextView>(R.id.position).text = getString(R.string.slice_of, index + 1, count)
        part<TextView>(R.id.opacity_value).text = getString(R.string.opacity_value, opacity)
        part<ProfileView>(R.id.profile).show(found?.pixels ?: List(count) { 0 }, index)
    }

    private fun showRun(found: Segmentation?) {
        val run = study.run
        val count = study.volume.slices.size
        part<TextView>(R.id.state).text = when (run) {
            is RunState.Running -> if (run.done == 0) getString(R.string.waiting) else getString(R.string.running, run.done, count)
            is RunState.Done -> if (run.segmentation.pixels[index] == 0) getString(R.string.tumour_none) else getString(R.string.tumour_pixels, whole(run.segmentation.pixels[index].toLong()))
            RunState.Cancelled -> getString(R.string.cancelled)
            is RunState.Failed -> ""
        }
        showError((run as? RunState.Failed)?.message)
        part<ProgressBar>(R.id.progress).apply {
            visibility = if (run is RunState.Running) View.VISIBLE else View.GONE
            max = count
            progress = (run as? RunState.Running)?.done ?: 0
        }
        part<View>(R.id.results).isEnabled = found != null
        part<View>(R.id.results).alpha = if (found != null) 1f else DISABLED
        part<Button>(R.id.run).setText(if (run is RunState.Running) R.string.cancel else R.string.run_again)
        showFigures(found)
    }

    private fun showFigures(found: Segmentation?) {
        val figures = part<LinearLayout>(R.id.figures)
        if (figures.tag === found && figures.childCount > 0) return
        figures.tag = found
        val tall = resources.configuration.orientation == Configuration.ORIENTATION_PORTRAIT
        figures.orientation = if (tall) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
        figures.removeAllViews()
        if (found == null) return
        figure(figures, getString(R.string.per_slice, decimal(found.sliceMs.sorted()[found.sliceMs.size / 2], 1)), getString(R.string.per_slice_label))
        figure(figures, getString(R.string.found_of, found.slicesWithTumour, found.masks.size), getString(R.string.found_label))
        val overlap = study.volume.reference?.let { dice(found.masks, it) } ?: return
        figure(figures, decimal(overlap, 3), getString(R.string.dice_label))
    }

    /** Tells only what the user slides. */
    private class Slid(private val to: (Int) -> Unit) : SeekBar.OnSeekBarChangeListener {
        override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) = to(progress)

        override fun onStartTrackingTouch(bar: SeekBar) = Unit

        override fun onStopTrackingTouch(bar: SeekBar) = Unit
    }

    companion object {
        const val STUDY = "study"
        private const val INDEX = "index"
        private const val CHANNEL = "channel"
        private const val OPACITY = "opacity"
        private const val OUTLINED = "outlined"
        private const val REFERENCED = "referenced"
        private const val DEFAULT_OPACITY = 35
        private const val PERCENT = 100f
        private const val DISABLED = 0.4f
        private val SEQUENCES = listOf(R.string.sequence_pre, R.string.sequence_flair, R.string.sequence_post)
    }
}
