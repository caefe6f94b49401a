package org.edgeseg.demo

import android.app.Activity
import android.app.AlertDialog
import android.text.InputType
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.TextView
import android.widget.Toast
import org.edgeseg.core.Spacing

/** Asks for what pictures do not hold: the distances between pixels and slices, and which side of the patient is on the left. */
object SpacingDialog {
    private const val MAX_MM = 100.0
    private const val FIRST_SIDE = 4000

    fun show(activity: Activity, study: Study, done: () -> Unit) {
        val fields = listOf(R.string.spacing_pixel to study.spacing?.rowMm, R.string.spacing_slice to study.spacing?.sliceMm).map { (hint, value) ->
            EditText(activity).apply {
                setHint(hint)
                inputType = InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_FLAG_DECIMAL
                value?.let { setText(it.toString()) }
            }
        }
        val sides = RadioGroup(activity)
        for ((side, text) in SIDES) {
            val button = RadioButton(activity)
            button.id = FIRST_SIDE + side.ordinal
            button.setText(text)
            sides.addView(button)
        }
        sides.check(FIRST_SIDE + study.side.ordinal)
        val form = LinearLayout(activity)
        form.orientation = LinearLayout.VERTICAL
        val (edge, gap) = (24 * activity.resources.displayMetrics.density).toInt() to (8 * activity.resources.displayMetrics.density).toInt()
        form.setPadding(edge, gap, edge, 0)
        val asked = study.volume.known == null
        if (asked) fields.forEach(form::addView)
        form.addView(TextView(activity).apply { setText(R.string.side_title) })
        form.addView(sides)
        AlertDialog.Builder(activity).setTitle(R.string.spacing_title).setView(form)
            .setPositiveButton(R.string.spacing_ok) { _, _ ->
                study.side = Side.entries[sides.checkedRadioButtonId - FIRST_SIDE]
                val (pixel, slice) = fields.map { it.text.toString() }
                if (asked && (pixel.isNotBlank() || slice.isNotBlank())) set(activity, study, pixel, slice)
                done()
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun set(activity: Activity, study: Study, pixel: String, slice: String) {
        val (pixelMm, sliceMm) = pixel.toDoubleOrNull() to slice.toDoubleOrNull()
        if (pixelMm == null || sliceMm == null || pixelMm <= 0 || sliceMm <= 0 || pixelMm > MAX_MM || sliceMm > MAX_MM) {
            Toast.makeText(activity, activity.getString(R.string.spacing_bad, pixel, slice), Toast.LENGTH_LONG).show()
            return
        }
        study.spacing = Spacing(sliceMm, pixelMm, pixelMm)
    }

    private val SIDES = listOf(Side.UNKNOWN to R.string.side_is_unknown, Side.RIGHT to R.string.side_is_right, Side.LEFT to R.string.side_is_left)
}
