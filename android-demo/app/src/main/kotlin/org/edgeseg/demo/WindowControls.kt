package org.edgeseg.demo

import android.view.View
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Window

/** Width and level of the window, and the switch that gives both back to the automatic one. */
class WindowControls(private val panel: View, private val study: Study, private val channel: () -> Int, private val changed: () -> Unit) {
    private val width = panel.requireViewById<SeekBar>(R.id.window_width)
    private val level = panel.requireViewById<SeekBar>(R.id.window_level)
    private val automatic = panel.requireViewById<Switch>(R.id.window_automatic)
    private var showing = false

    init {
        for (slider in listOf(width, level)) slider.setOnSeekBarChangeListener(Slid { if (!showing) choose(Window.of(level.progress, width.progress)) })
        automatic.setOnCheckedChangeListener { _, on -> if (!showing) choose(if (on) null else study.window(channel())) }
    }

    private fun choose(window: Window?) {
        study.chosen[channel()] = window
        changed()
    }

    fun show() {
        val window = study.window(channel())
        showing = true
        width.progress = window.width
        level.progress = window.level
        automatic.isChecked = study.chosen[channel()] == null
        showing = false
        panel.requireViewById<TextView>(R.id.window_width_value).text = Screen.whole(window.width.toLong())
        panel.requireViewById<TextView>(R.id.window_level_value).text = Screen.whole(window.level.toLong())
    }
}

/** Tells where a slider was moved to. */
class Slid(private val to: (Int) -> Unit) : SeekBar.OnSeekBarChangeListener {
    override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) = to(progress)

    override fun onStartTrackingTouch(bar: SeekBar) = Unit

    override fun onStopTrackingTouch(bar: SeekBar) = Unit
}
