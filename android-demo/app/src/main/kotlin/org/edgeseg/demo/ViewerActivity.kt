package org.edgeseg.demo

import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.os.Bundle
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Slice
import org.edgeseg.core.dice

/** A case, slice by slice, with what the model drew on it. */
class ViewerActivity : Screen() {
    private lateinit var study: Study
    private var index = 0
    private var channel = Draw.FLAIR
    private var opacity = DEFAULT_OPACITY
    private var outlined = true
    private var referenced = false
    private var differing = false
    private var pixel: Pair<Int, Int>? = null
    private lateinit var windowControls: WindowControls
    private lateinit var findingRows: FindingRows

    /** Anatomy is read in the dark, whatever the tablet's other screens look like. */
    override fun attachBaseContext(base: Context) {
        super.attachBaseContext(base)
        applyOverrideConfiguration(Configuration().apply { uiMode = Configuration.UI_MODE_NIGHT_YES })
    }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        study = app.studies[intent.getStringExtra(STUDY)] ?: return finish()
        index = state?.getInt(INDEX) ?: (study.volume.slices.size / 2)
        channel = state?.getInt(CHANNEL) ?: channel
        opacity = state?.getInt(OPACITY) ?: opacity
        outlined = state?.getBoolean(OUTLINED) ?: outlined
        referenced = state?.getBoolean(REFERENCED) ?: referenced
        differing = state?.getBoolean(DIFFERING) ?: differing
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
        state.putBoolean(DIFFERING, differing)
    }

    override fun show() {
        if (isFinishing) return
        val found = study.shown
        showSlice(found)
        showRun(found)
        windowControls.show()
        findingRows.show(study)
    }

    private fun connectSlices() {
        val slider = part<SeekBar>(R.id.slider)
        slider.max = study.volume.slices.size - 1
        slider.progress = index
        slider.setOnSeekBarChangeListener(Slid { goTo(it) })
        part<View>(R.id.previous).setOnClickListener { goTo(index - 1) }
        part<View>(R.id.next).setOnClickListener { goTo(index + 1) }
        part<SliceView>(R.id.slice).onSwipe = { goTo(index + it) }
        part<SliceView>(R.id.slice).onPixel = { column, row ->
            pixel = column to row
            show()
        }
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
        toggle(R.id.outline, outlined) { outlined = it }
        toggle(R.id.reference, referenced) { referenced = it }
        part<Switch>(R.id.reference).isEnabled = study.volume.reference != null
        if (study.volume.reference == null) part<Switch>(R.id.reference).setText(R.string.reference_none)
        toggle(R.id.difference, differing) {
            differing = it
            if (it) app.startFloat(study)
        }
        part<View>(R.id.difference).visibility = if (app.hasFloat) View.VISIBLE else View.GONE
        windowControls = WindowControls(part(R.id.root), study, { channel }, ::show)
        findingRows = FindingRows(part(R.id.findings), ::goTo, ::show)
        part<View>(R.id.spacing).setOnClickListener { SpacingDialog.show(this, study) { app.changed() } }
        part<View>(R.id.results).setOnClickListener {
            startActivity(Intent(this, ResultsActivity::class.java).putExtra(STUDY, study.id))
        }
        part<View>(R.id.run).setOnClickListener { if (study.run is RunState.Running) app.cancel(study) else app.start(study) }
    }

    private fun toggle(id: Int, on: Boolean, set: (Boolean) -> Unit) = part<Switch>(id).run {
        isChecked = on
        setOnCheckedChangeListener { _, now ->
            set(now)
            show()
        }
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
        val float = study.float as? FloatState.Done
        if (differing && float != null) overlays += Draw.difference(slice, float.masks[index], float.against.masks[index], getColor(R.color.mask_difference))
        val view = part<SliceView>(R.id.slice)
        view.marks.side = study.side
        view.marks.columnMm = study.spacing?.columnMm
        view.show(Draw.grey(slice, channel, study.window(channel)), overlays, pixel)
        part<TextView>(R.id.legend).text = legend(found != null, referenced && reference != null, differing && float != null)
        showPixel(slice)
        val count = study.volume.slices.size
        val drawn = area(found?.pixels?.get(index) ?: 0)
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
            is RunState.Done -> area(found?.pixels?.get(index) ?: 0)
            RunState.Cancelled -> getString(R.string.cancelled)
            is RunState.Failed -> ""
        }
        part<TextView>(R.id.difference_state).apply {
            text = difference()
            visibility = if (differing) View.VISIBLE else View.GONE
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
        val now = listOf(found, study.spacing)
        if (figures.tag == now && figures.childCount > 0) return
        figures.tag = now
        figures.removeAllViews()
        if (found == null) return
        val spacing = study.spacing
        if (spacing != null) figure(figures, getString(R.string.value_ml, decimal(found.tumourPixels * spacing.voxelMl, 1)), getString(R.string.volume_label))
        else figure(figures, whole(found.tumourPixels), getString(R.string.voxels_label))
        figure(figures, getString(R.string.found_of, found.slicesWithTumour, found.masks.size), getString(R.string.found_label))
        val overlap = study.volume.reference?.let { dice(found.masks, it) } ?: return
        figure(figures, decimal(overlap, 3), getString(R.string.dice_label))
    }

    /** The tumour on one slice, in mm² where the spacing is known. */
    private fun area(pixels: Int): String {
        val spacing = study.spacing
        return when {
            pixels == 0 -> getString(R.string.tumour_none)
            spacing == null -> getString(R.string.tumour_pixels, whole(pixels.toLong()))
            else -> getString(R.string.tumour_mm2, whole((pixels * spacing.pixelMm2).toLong()))
        }
    }

    private fun difference(): String = when (val float = study.float) {
        FloatState.None -> ""
        FloatState.Running -> getString(R.string.difference_running)
        is FloatState.Failed -> float.message
        is FloatState.Done -> getString(
            R.string.difference_found, whole(float.flips.sumOf { it.toLong() }), whole(float.masks.sumOf { it.size.toLong() }), whole(float.flips[index].toLong()),
        )
    }

    private fun showPixel(slice: Slice) {
        val (column, row) = pixel?.takeIf { it.first < slice.width && it.second < slice.height } ?: return part<TextView>(R.id.pixel).setText(R.string.pixel_none)
        val levels = SEQUENCES.indices.map { slice.bytes[(row * slice.width + column) * SEQUENCES.size + it].toInt() and 0xff }
        part<TextView>(R.id.pixel).text = getString(R.string.pixel_read, column, row, levels[0], levels[1], levels[2])
    }

    private fun legend(drawn: Boolean, reference: Boolean, difference: Boolean): CharSequence = SpannableStringBuilder().apply {
        for ((shown, colour, name) in listOf(
            Triple(drawn, R.color.mask, R.string.legend_mask),
            Triple(reference, R.color.mask_reference, R.string.legend_reference),
            Triple(difference, R.color.mask_difference, R.string.legend_difference),
        )) {
            if (shown) append("\u25A0", ForegroundColorSpan(getColor(colour)), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE).append(" ${getString(name)}    ")
        }
    }

    companion object {
        const val STUDY = "study"
        private const val INDEX = "index"
        private const val CHANNEL = "channel"
        private const val OPACITY = "opacity"
        private const val OUTLINED = "outlined"
        private const val REFERENCED = "referenced"
        private const val DIFFERING = "differing"
        private const val DEFAULT_OPACITY = 35
        private const val PERCENT = 100f
        private const val DISABLED = 0.4f
        private val SEQUENCES = listOf(R.string.sequence_pre, R.string.sequence_flair, R.string.sequence_post)
    }
}
