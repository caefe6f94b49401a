package org.edgeseg.demo

import android.content.Context
import org.edgeseg.core.OutputTrust
import org.edgeseg.core.Reason
import org.edgeseg.core.Verdict
import kotlin.math.exp

/** What is told of how far the network's mask is to be believed; all of it is null where that is not known. */
class TrustWords(private val context: Context, private val study: Study) {
    private val trust: OutputTrust? get() = study.trust
    private val verdict: Verdict? get() = study.verdict

    /** Whether there is anything to tell. */
    val known: Boolean get() = verdict != null

    /** Why somebody should look at this case first; null where nobody needs to. */
    val why: String? get() = verdict?.takeIf { it.look }?.let { why(it.because) }

    /** Expected overlap of mask and tumour; null where no mask is left. */
    val overlap: String? get() = verdict?.expectedDice?.takeIf { drawn > 0 }?.let { Screen.decimal(it, 2) }

    /** The ends of the volume's interval, `[36.0, 51.3]`; null without spacing, and once a reader has changed the mask. */
    val interval: String? get() {
        val volume = study.spacing?.takeIf { drawn > 0 && study.dismissed.isEmpty() }?.let { drawn * it.voxelMl } ?: return null
        val (low, high) = verdict?.interval(volume) ?: return null
        return context.getString(R.string.trust_interval, Screen.decimal(low, 1), Screen.decimal(high, 1))
    }

    /** What kind of figures these are. */
    val remark: String? get() = trust?.takeIf { known && overlap != null }?.run {
        context.getString(R.string.trust_remark, patients) + if (interval == null) "" else " " + context.getString(R.string.trust_remark_volume, percent(coverage))
    }

    private val drawn: Long get() = (study.run as? RunState.Done)?.segmentation?.tumourPixels ?: 0

    private fun why(reason: Reason?): String = when (reason?.feature) {
        OutputTrust.BORDER -> context.getString(R.string.trust_why_border, Screen.decimal(exp(reason.value), 1), Screen.decimal(exp(reason.typical), 1))
        OutputTrust.NEIGHBOURS -> context.getString(R.string.trust_why_neighbours, percent(reason.value), percent(reason.typical))
        else -> context.getString(R.string.trust_why_nothing)
    }

    companion object {
        /** A share as `85 %`, which stays on one line. */
        fun percent(share: Double): String = "${Screen.decimal(100 * share, 0)}\u00A0%"
    }
}
