package org.edgeseg.demo

import android.graphics.Bitmap
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.View
import android.widget.GridLayout
import android.widget.TextView
import org.edgeseg.core.Plane
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Slice
import kotlin.math.ceil
import kotlin.math.sqrt

/** The picture with what lies over it, once or for every sequence side by side; all panes move together. */
class Stage(private val root: View, private val study: Study, private val reading: Reading, private val main: SliceView) {
    private val context = root.context
    private val grid = root.requireViewById<GridLayout>(R.id.panes)
    private val panes = ArrayList<SliceView>()

    /** Shows the picture that is looked at, with what was drawn on it. */
    fun show(found: Segmentation?) {
        val slice = reading.section.slice(reading.index)
        val channels = if (reading.beside) listOf(reading.channel) + (study.channels.indices - reading.channel) else listOf(reading.channel)
        arrange(channels.size)
        val overlays = overlays(slice, found)
        panes.zip(channels) { pane, channel ->
            mark(pane, channel)
            pane.marks.pane = panes.indexOf(pane) to panes.size
            pane.wiping = reading.wiping
            pane.show(Draw.grey(slice, channel, study.window(channel)), overlays, reading.pixel, aspect())
        }
        root.requireViewById<TextView>(R.id.legend).text = legend(found)
        root.requireViewById<TextView>(R.id.pixel).text = readOut(slice, found)
    }

    private fun arrange(count: Int) {
        if (panes.size == count) return
        grid.removeAllViews()
        panes.clear()
        panes += main
        while (panes.size < count) panes += SliceView(context, null).also { it.follow(main) }
        main.followed = panes.drop(1)
        grid.columnCount = if (grid.width > grid.height && count <= MOST_IN_A_ROW) count else ceil(sqrt(count.toDouble())).toInt()
        panes.forEachIndexed { index, pane ->
            val place = GridLayout.LayoutParams(GridLayout.spec(index / grid.columnCount, 1f), GridLayout.spec(index % grid.columnCount, 1f))
            place.width = 0
            place.height = 0
            grid.addView(pane, place)
        }
    }

    private fun mark(pane: SliceView, channel: Int) {
        val marks = pane.marks
        marks.edges = Edges.of(study.side, study.volume.oriented, reading.section.plane)
        marks.columnMm = study.spacing?.let { reading.section.pixelMm(it).second }
        marks.title = if (reading.beside) Called.channel(context, study.channels[channel]) else ""
    }

    /** How much higher a pixel is than wide; 1 where the spacing is not known. */
    private fun aspect(): Float = study.spacing?.let { reading.section.pixelMm(it).run { (first / second).toFloat() } } ?: 1f

    private fun overlays(slice: Slice, found: Segmentation?): List<Bitmap> {
        val overlays = ArrayList<Bitmap>()
        val section = reading.section
        found?.classes?.zip(study.rules)?.forEach { (drawn, rule) ->
            overlays += Draw.mask(slice, section.mask(drawn.masks, reading.index), Called.colour(context, rule), reading.opacity / PERCENT, reading.outlined)
        }
        study.unsure?.takeIf { reading.doubting }?.let {
            overlays += Draw.mask(slice, section.mask(it, reading.index), context.getColor(R.color.mask_unsure), UNSURE, outlined = false)
        }
        val reference = study.volume.reference
        if (reading.referenced && reference != null) {
            overlays += Draw.mask(slice, section.mask(reference, reading.index), context.getColor(R.color.mask_reference), 0f, outlined = true)
        }
        val float = study.float as? FloatState.Done
        if (reading.differing && float != null) {
            val (one, other) = listOf(float.segmentation, float.against).map { all -> all.classes.map { section.mask(it.masks, reading.index) } }
            overlays += Draw.difference(slice, one, other, context.getColor(R.color.mask_difference))
        }
        return overlays
    }

    private fun readOut(slice: Slice, found: Segmentation?): CharSequence {
        val voxel = reading.voxel
        val (x, y) = reading.pixel?.takeIf { it.first < slice.width && it.second < slice.height } ?: return context.getString(R.string.pixel_none)
        requireNotNull(voxel)
        val at = y * slice.width + x
        val levels = study.channels.indices.map { "${Called.channel(context, study.channels[it])} ${slice.level(at, it)}" }
        val inside = found?.classes.orEmpty().zip(study.rules).filter { (drawn, _) -> reading.section.mask(drawn.masks, reading.index)[at] }
        val told = if (reading.section.plane == Plane.AXIAL) R.string.pixel_read else R.string.pixel_read_volume
        val read = context.getString(told, voxel.column, voxel.row, levels.joinToString(), voxel.slice + 1)
        return if (inside.isEmpty()) read else "$read · ${inside.joinToString { (_, rule) -> Called.mask(context, rule) }}"
    }

    private fun legend(found: Segmentation?): CharSequence = SpannableStringBuilder().apply {
        val entries = ArrayList<Pair<Int, String>>()
        if (found != null) for (rule in study.rules) entries += Called.colour(context, rule) to Called.mask(context, rule)
        if (reading.doubting && study.unsure != null) entries += context.getColor(R.color.mask_unsure) to context.getString(R.string.legend_unsure)
        if (reading.referenced && study.volume.reference != null) entries += context.getColor(R.color.mask_reference) to context.getString(R.string.legend_reference)
        if (reading.differing && study.float is FloatState.Done) entries += context.getColor(R.color.mask_difference) to context.getString(R.string.legend_difference)
        for ((colour, name) in entries) append("\u25A0", ForegroundColorSpan(colour), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE).append(" $name    ")
    }

    private companion object {
        const val PERCENT = 100f
        const val UNSURE = 0.5f
        const val MOST_IN_A_ROW = 3
    }
}
