package org.edgeseg.demo

import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.os.Bundle
import android.view.View
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Plane
import org.edgeseg.core.Segmentation

/** A case, picture by picture, with what the model drew on it. */
class ViewerActivity : Screen() {
    private lateinit var study: Study
    private lateinit var reading: Reading
    private lateinit var stage: Stage
    private lateinit var run: RunPanel
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
        reading = Reading(study, state)
        open(R.layout.viewer, study.volume.name)
        stage = Stage(part(R.id.root), study, reading, part(R.id.slice))
        run = RunPanel(this, study)
        connectSlices()
        connectPanel()
        show()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        reading.save(state)
    }

    override fun show() {
        if (isFinishing) return
        val found = study.shown
        stage.show(found)
        showPosition(found)
        run.show(found, reading)
        part<View>(R.id.unsure).visibility = if (study.unsure == null) View.GONE else View.VISIBLE
        showError((study.run as? RunState.Failed)?.message)
        windowControls.show()
        findingRows.show(study)
    }

    private fun connectSlices() {
        fit()
        part<SeekBar>(R.id.slider).setOnSeekBarChangeListener(Slid { goTo(it) })
        part<View>(R.id.previous).setOnClickListener { goTo(reading.index - 1) }
        part<View>(R.id.next).setOnClickListener { goTo(reading.index + 1) }
        part<SliceView>(R.id.slice).onSwipe = { goTo(reading.index + it) }
        part<SliceView>(R.id.slice).onPixel = { column, row ->
            reading.tap(column, row)
            show()
        }
        val planes = listOf(R.string.plane_axial, R.string.plane_coronal, R.string.plane_sagittal).map(::getString)
        Choices.fill(part(R.id.planes), planes, reading.section.plane.ordinal) { turn(Plane.entries[it]) }
        part<View>(R.id.planes).visibility = if (study.volume.whole) View.VISIBLE else View.GONE
    }

    private fun connectPanel() {
        Choices.fill(part(R.id.sequences), study.channels.map { Called.channel(this, it) }, reading.channel) {
            reading.channel = it
            show()
        }
        val several = if (study.channels.size > 1) View.VISIBLE else View.GONE
        for (id in listOf(R.id.sequences_row, R.id.beside)) part<View>(id).visibility = several
        val slider = part<SeekBar>(R.id.opacity)
        slider.progress = reading.opacity
        slider.setOnSeekBarChangeListener(
            Slid {
                reading.opacity = it
                show()
            },
        )
        toggle(R.id.outline, reading.outlined) { reading.outlined = it }
        toggle(R.id.reference, reading.referenced) { reading.referenced = it }
        part<Switch>(R.id.reference).isEnabled = study.volume.reference != null
        if (study.volume.reference == null) part<Switch>(R.id.reference).setText(R.string.reference_none)
        toggle(R.id.unsure, reading.doubting) { reading.doubting = it }
        toggle(R.id.wipe, reading.wiping) { reading.wiping = it }
        toggle(R.id.beside, reading.beside) { reading.beside = it }
        toggle(R.id.difference, reading.differing) {
            reading.differing = it
            if (it) app.startFloat(study)
        }
        part<View>(R.id.difference).visibility = if (app.hasFloat) View.VISIBLE else View.GONE
        windowControls = WindowControls(part(R.id.root), study, { reading.channel }, ::show)
        findingRows = FindingRows(part(R.id.findings), ::goToSlice, ::show)
        part<View>(R.id.spacing).setOnClickListener { SpacingDialog.show(this, study) { app.changed() } }
        part<View>(R.id.spacing).visibility = if (study.asksSpacing) View.VISIBLE else View.GONE
        part<View>(R.id.results).setOnClickListener {
            startActivity(Intent(this, ResultsActivity::class.java).putExtra(STUDY, study.id))
        }
        part<View>(R.id.share).setOnClickListener { Sharing.masks(this, app, study, ::showError) }
        part<View>(R.id.run).setOnClickListener { if (study.run is RunState.Running) app.cancel(study) else app.start(study) }
    }

    private fun toggle(id: Int, on: Boolean, set: (Boolean) -> Unit) = part<Switch>(id).run {
        isChecked = on
        setOnCheckedChangeListener { _, now ->
            set(now)
            show()
        }
    }

    private fun goTo(wanted: Int) {
        if (!reading.goTo(wanted)) return
        part<SeekBar>(R.id.slider).progress = reading.index
        show()
    }

    /** Goes to an axial slice, whichever plane is shown. */
    private fun goToSlice(slice: Int) {
        part<android.widget.RadioGroup>(R.id.planes).run { check(Choices.id(this, Plane.AXIAL.ordinal)) }
        goTo(slice)
    }

    private fun turn(plane: Plane) {
        reading.turn(plane)
        fit()
        show()
    }

    /** Makes the slider as long as the plane has pictures. */
    private fun fit() {
        val (last, index) = reading.section.count - 1 to reading.index
        val slider = part<SeekBar>(R.id.slider)
        slider.setOnSeekBarChangeListener(null)
        slider.max = last
        slider.progress = index
        slider.setOnSeekBarChangeListener(Slid { goTo(it) })
    }

    private fun showPosition(found: Segmentation?) {
        val (index, count) = reading.index to reading.section.count
        val areas = reading.areas(found)
        val sequence = Called.channel(this, study.channels[reading.channel])
        part<View>(R.id.slice).contentDescription = getString(R.string.slice_described, sequence, index + 1, count, run.area(areas[index], reading))
        part<TextView>(R.id.position).text = getString(R.string.slice_of, index + 1, count)
        part<TextView>(R.id.opacity_value).text = getString(R.string.opacity_value, reading.opacity)
        part<ProfileView>(R.id.profile).show(areas, index)
    }

    companion object {
        const val STUDY = "study"
    }
}
