package org.edgeseg.demo

import android.view.View
import android.widget.LinearLayout
import android.widget.TextView

/** Below the figures of a case: whether the input is odd, whether to look at it and why, and the expected overlap; nothing where that is not known. [ClassRows] tell of each of several masks. */
class TrustPanel(private val list: LinearLayout, private val study: Study) {
    private var drawn: Any? = null

    fun show() {
        val odd = OddWords.told(list.context, study)?.let { it to R.style.Look }
        val remarks = TrustWords.remarks(list.context, study).map { it to R.style.Quiet }
        val lines = listOfNotNull(odd) + TrustWords(list.context, study).lines + remarks
        if (lines == drawn) return
        drawn = lines
        list.removeAllViews()
        list.visibility = if (lines.isEmpty()) View.GONE else View.VISIBLE
        for ((text, style) in lines) list.addView(TextView(list.context, null, 0, style).apply { this.text = text })
    }
}
