package org.edgeseg.demo

import android.widget.RadioButton
import android.widget.RadioGroup

/** A row of choices in a group of radio buttons, made for a list of names. */
object Choices {
    private const val FIRST = 0x10000
    private const val MOST = 16
    private const val HEIGHT_DP = 48

    /** Fills a group; [chosen] is told the place of the one that is touched. */
    fun fill(group: RadioGroup, names: List<String>, checked: Int, chosen: (Int) -> Unit = {}) {
        group.removeAllViews()
        val height = (HEIGHT_DP * group.resources.displayMetrics.density).toInt()
        names.forEachIndexed { index, name ->
            val button = RadioButton(group.context, null, 0, R.style.Choice)
            button.id = id(group, index)
            button.text = name
            button.maxLines = 1
            button.minWidth = height
            group.addView(button, RadioGroup.LayoutParams(RadioGroup.LayoutParams.WRAP_CONTENT, height, 1f))
        }
        group.check(id(group, checked))
        group.setOnCheckedChangeListener { _, id -> if (id != -1) chosen(id - id(group, 0)) }
    }

    fun id(group: RadioGroup, index: Int): Int = FIRST + (group.id and 0xfff) * MOST + index

    fun chosen(group: RadioGroup): Int = group.checkedRadioButtonId - id(group, 0)
}
