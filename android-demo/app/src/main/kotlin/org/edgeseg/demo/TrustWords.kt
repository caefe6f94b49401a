package org.edgeseg.demo

import android.content.Context
import org.edgeseg.core.OutputTrust
import org.edgeseg.core.Reason
import org.edgeseg.core.Verdict
import kotlin.math.exp

/** What is told of how far a mask is to be believed, or without a number of all masks together; all of it is null where that is not known. */
class TrustWords(private val context: Context, private val study: Study, private val mask: Int? = null) {
    private val verdict: Verdict? get() = study.doubt?.run { if (mask == null) verdict else masks[mask] }

    /** Whether there is anything to tell. */
    val known: Boolean get() = verdict != null

    /** Why somebody should look at this case first; null where nobody needs to. */
    val why: String? get() = verdict?.takeIf { it.look }?.let { why(it.because) }

    /** Expected overlap of mask and tumour; null where no mask is left. */
    val overlap: String? get() = verdict?.expectedDice?.takeIf { drawn > 0 }?.let { Screen.decimal(it, 2) }

    /** The ends of the volume's interval, `[36.0, 51.3]`; null without spacing, and once a reader has changed the mask. */
    val interval: String? get() {
        val volume = study.spacing?.takeIf { drawn > 0 && !study.changed(mask) }?.let { drawn * it.voxelMl } ?: return null
        val (low, high) = verdict?.interval(volume) ?: return null
        return context.getString(R.string.trust_interval, Screen.decimal(low, 1), Screen.decimal(high, 1))
    }

    /** Whether to look and why, and the expected overlap, with the interval of one of several masks; each a line with its style. */
    val lines: List<Pair<String, Int>> get() = listOfNotNull(
        why?.let { context.getString(R.string.trust_look, it) to R.style.Look },
        overlap?.let { figures(it, interval.takeIf { mask != null }) to R.style.Body },
    )

    private val drawn: Long get() = (study.run as? RunState.Done)?.segmentation?.run { if (mask == null) tumourPixels else classes[mask].total } ?: 0

    private fun figures(overlap: String, between: String?): String =
        if (between == null) context.getString(R.string.trust_overlap, overlap) else context.getString(R.string.trust_overlap_volume, overlap, between)

    private fun why(reason: Reason?): String {
        val why = when (reason?.feature) {
            OutputTrust.BORDER -> context.getString(R.string.trust_why_border, Screen.decimal(exp(reason.value), 1), Screen.decimal(exp(reason.typical), 1))
            OutputTrust.NEIGHBOURS -> context.getString(R.string.trust_why_neighbours, percent(reason.value), percent(reason.typical))
            else -> context.getString(R.string.trust_why_nothing)
        }
        return reason?.mask?.let { context.getString(R.string.trust_of_class, it, why) } ?: why
    }

    companion object {
        /** A share as `85 %`, which stays on one line. */
        fun percent(share: Double): String = "${Screen.decimal(100 * share, 0)}\u00A0%"

        /** What kind of figures are told of the masks; once where all were fitted alike, else with the names of those that were. */
        fun remarks(context: Context, study: Study): List<String> {
            val told = study.rules.mapIndexed { number, rule -> rule to TrustWords(context, study, number) }.filter { (_, words) -> words.overlap != null }
            val alike = told.groupBy { (rule, _) -> rule.trust?.run { patients to coverage } }
            return alike.mapNotNull { (fitted, masks) ->
                val (patients, coverage) = fitted ?: return@mapNotNull null
                val brackets = if (masks.all { (_, words) -> words.interval == null }) "" else " " + context.getString(R.string.trust_remark_volume, percent(coverage))
                val remark = context.getString(R.string.trust_remark, patients) + brackets
                if (alike.size == 1) remark else context.getString(R.string.trust_of_class, masks.joinToString { (rule, _) -> Called.mask(context, rule) }, remark)
            }
        }
    }
}
