package org.edgeseg.demo

import org.edgeseg.core.Contract
import org.edgeseg.core.Doubt
import org.edgeseg.core.Findings
import org.edgeseg.core.MaskRule
import org.edgeseg.core.Oddity
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Spacing
import org.edgeseg.core.Volume
import org.edgeseg.core.Window

/** Where the run of a case is. */
sealed interface RunState {
    class Running(val done: Int) : RunState
    class Done(val segmentation: Segmentation, val findings: Findings) : RunState
    class Failed(val message: String) : RunState
    data object Cancelled : RunState
}

/** What the float network draws on a case, once it was asked for. */
sealed interface FloatState {
    data object None : FloatState
    data object Running : FloatState
    class Failed(val message: String) : FloatState
    class Done(val segmentation: Segmentation, val against: Segmentation) : FloatState {
        /** How many pixels of each slice the two draw differently. */
        val flips: List<Int> = segmentation.masks.indices.map { segmentation.flips(against, it) }
    }
}

/** A case that is open. It lives as long as the app does, so that turning the tablet disturbs no run. */
class Study(val id: String, val volume: Volume, val own: Boolean, contract: Contract) {
    /** The channels of its slices, and the one that is shown first. */
    val channels: List<String> = contract.given
    val firstChannel: Int = channels.indexOf(contract.reference)

    /** What the network draws. */
    val rules: List<MaskRule> = contract.masks
    var run: RunState = RunState.Running(0)
    var float: FloatState = FloatState.None
    var spacing: Spacing? = volume.known
    var side = if (volume.oriented) Side.RIGHT else Side.UNKNOWN

    /** The window that each channel gets by itself, and the one that the reader chose in its place. */
    var automatic: List<Window> = channels.map { Window.WHOLE }
    val chosen = arrayOfNulls<Window>(channels.size)

    /** Whether there is something to ask the reader, as the files do not say it. */
    val asksSpacing: Boolean = volume.known == null || !volume.oriented

    @Volatile var cancelled = false
    private val gone = sortedSetOf<Int>()
    private var kept: Segmentation? = null

    /** The components that the reader dismissed, by their places in [Findings.all]. */
    val dismissed: Set<Int> get() = gone

    /** How far what was drawn is to be believed, and where the network is unsure; null where that is not known. */
    val doubt: Doubt? get() = (run as? RunState.Done)?.segmentation?.doubt
    val unsure: List<BooleanArray>? get() = doubt?.unsure

    /** What is odd about what was given; null where nothing is. */
    val oddity: Oddity? get() = (run as? RunState.Done)?.segmentation?.oddity

    val findings: Findings? get() = (run as? RunState.Done)?.findings

    /** What was drawn, without the components that the reader dismissed. */
    val shown: Segmentation? get() {
        val done = run as? RunState.Done ?: return null
        if (gone.isEmpty()) return done.segmentation
        return kept ?: Segmentation(done.findings.drawn(gone), done.segmentation.sliceMs, done.segmentation.postMs).also { kept = it }
    }

    /** How many components of one mask there are that were not dismissed. */
    fun components(mask: Int): Int = findings?.all.orEmpty().withIndex().count { (index, one) -> one.mask == mask && index !in gone }

    /** Whether the reader took a component out of one mask, or without a number out of any. */
    fun changed(mask: Int?): Boolean = findings?.all.orEmpty().withIndex().any { (index, one) -> index in gone && (mask == null || one.mask == mask) }

    fun window(channel: Int): Window = chosen[channel] ?: automatic[channel]

    /** Takes a component out of masks and figures, or puts it back. */
    fun dismiss(component: Int, away: Boolean) {
        if (away) gone += component else gone -= component
        kept = null
    }

    /** Forgets what was found, before it is looked for again. */
    fun restart() {
        run = RunState.Running(0)
        float = FloatState.None
        cancelled = false
        gone.clear()
        kept = null
    }
}
