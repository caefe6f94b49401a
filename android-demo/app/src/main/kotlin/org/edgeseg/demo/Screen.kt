package org.edgeseg.demo

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.TextView
import java.util.Locale

/** What every screen shares: the bar, room for the system's bars, and being told of changes. */
abstract class Screen : Activity() {
    protected val app: DemoApp get() = application as DemoApp
    private val listener: () -> Unit = { show() }

    /** Shows the state of things; called on the main thread whenever they change. */
    protected abstract fun show()

    protected fun open(layout: Int, title: CharSequence, back: Boolean = true) {
        setContentView(layout)
        part<TextView>(R.id.title).text = title
        val button = part<ImageButton>(R.id.back)
        button.visibility = if (back) View.VISIBLE else View.GONE
        button.setOnClickListener { finish() }
        if (!back) (button.parent as View).apply { setPaddingRelative(paddingEnd - dp(8), 0, paddingEnd, 0) }
        val root = part<View>(R.id.root)
        @Suppress("DEPRECATION") // from API 35 on it is always so
        if (Build.VERSION.SDK_INT in Build.VERSION_CODES.R..Build.VERSION_CODES.UPSIDE_DOWN_CAKE) window.setDecorFitsSystemWindows(false)
        root.setOnApplyWindowInsetsListener { view, insets ->
            keepClear(view, insets)
            insets
        }
    }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        app.listen(listener)
    }

    override fun onDestroy() {
        app.unlisten(listener)
        super.onDestroy()
    }

    /** A view of the layout, which must hold it. */
    protected fun <T : View> part(id: Int): T = requireNotNull(findViewById<T>(id))

    protected fun <T : View> View.part(id: Int): T = requireNotNull(findViewById<T>(id))

    protected fun showError(message: String?) {
        val view = part<TextView>(R.id.error)
        view.text = message
        view.visibility = if (message.isNullOrEmpty()) View.GONE else View.VISIBLE
    }

    protected fun dp(value: Int): Int = (value * resources.displayMetrics.density).toInt()

    /** A large value above its label. */
    fun figure(parent: ViewGroup, value: String, label: String) {
        val view = layoutInflater.inflate(R.layout.figure, parent, false)
        view.part<TextView>(R.id.figure_value).text = value
        view.part<TextView>(R.id.figure_label).text = label
        parent.addView(view)
    }

    protected fun threads(count: Int): String = resources.getQuantityString(R.plurals.threads, count, count)

    /** A label with its value, in a row. */
    protected fun pair(parent: ViewGroup, label: Int, value: String) {
        val view = layoutInflater.inflate(R.layout.pair, parent, false)
        view.part<TextView>(R.id.pair_label).setText(label)
        view.part<TextView>(R.id.pair_value).text = value
        parent.addView(view)
    }

    /** A card with a heading, one of the columns of a page. */
    protected fun card(columns: LinearLayout, heading: Int): LinearLayout {
        val wide = columns.orientation == LinearLayout.HORIZONTAL
        val card = LinearLayout(this)
        card.orientation = LinearLayout.VERTICAL
        card.setBackgroundResource(R.drawable.card)
        card.setPadding(dp(20), dp(16), dp(20), dp(16))
        val params = LinearLayout.LayoutParams(if (wide) 0 else ViewGroup.LayoutParams.MATCH_PARENT, ViewGroup.LayoutParams.WRAP_CONTENT)
        params.weight = if (wide) 1f else 0f
        params.setMargins(dp(8), dp(8), dp(8), dp(8))
        columns.addView(card, params)
        val title = TextView(this, null, 0, R.style.Heading)
        title.setText(heading)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) title.isAccessibilityHeading = true
        card.addView(title)
        return card
    }

    /** Whether there is room for two columns. */
    protected val wide: Boolean get() = resources.configuration.screenWidthDp >= WIDE_DP

    protected fun columns(): LinearLayout {
        val columns = part<LinearLayout>(R.id.columns)
        columns.removeAllViews()
        columns.orientation = if (wide) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
        return columns
    }

    private fun keepClear(view: View, insets: WindowInsets) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val room = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
            view.setPadding(room.left, room.top, room.right, room.bottom)
        } else {
            @Suppress("DEPRECATION")
            view.setPadding(insets.systemWindowInsetLeft, insets.systemWindowInsetTop, insets.systemWindowInsetRight, insets.systemWindowInsetBottom)
        }
    }

    companion object {
        private const val WIDE_DP = 1000

        /** A number with so many decimals, as the language of the tablet writes it. */
        fun decimal(value: Double, decimals: Int): String = String.format(Locale.getDefault(), "%.${decimals}f", value)

        fun whole(value: Long): String = String.format(Locale.getDefault(), "%,d", value)
    }
}
