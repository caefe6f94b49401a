package org.edgeseg.core

import kotlin.math.ln

/** What was counted on a volume; [OutputTally] says what each is. */
data class OutputCounts(val low: Long, val middle: Long, val high: Long, val border: Long, val shared: Long, val paired: Long) {
    /** The features of a volume by their names; null where no pixel is above the middle level. */
    fun features(): Map<String, Double>? = if (middle == 0L) null else mapOf(
        OutputTrust.BORDER to ln(maxOf(low - high, 1L).toDouble() / border),
        OutputTrust.NEIGHBOURS to if (paired == 0L) 0.0 else (2 * shared).toDouble() / paired,
    )
}

/** Counts of one mask over the slices of a volume, of which one is kept: `edgeseg/trust/tally.py`, step by step. */
class OutputTally(trust: OutputTrust) {
    private val low = level(trust.low)
    private val middle = level(trust.middle)
    private val high = level(trust.high)
    private val sums = LongArray(6)
    private var before: BooleanArray? = null
    private var countBefore = 0
    private var first = true

    /** What was counted so far. */
    val counts: OutputCounts get() = OutputCounts(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5])

    /** Counts the next slice: logits as the network gave them, on its own grid, [width] to a row. */
    fun add(logits: FloatArray, width: Int) {
        val mask = BooleanArray(logits.size)
        var inside = 0
        for (at in logits.indices) {
            val logit = logits[at]
            if (!(logit > low)) continue
            sums[0]++
            if (!(logit > middle)) continue
            mask[at] = true
            inside++
            if (logit > high) sums[2]++
        }
        sums[1] += inside.toLong()
        if (!first) sums[5] += (inside + countBefore).toLong()
        if (inside > 0) {
            sums[3] += outline(mask, mask.size / width, width).count { it }.toLong()
            before?.let { one -> sums[4] += mask.indices.count { mask[it] && one[it] }.toLong() }
        }
        before = if (inside > 0) mask else null
        countBefore = inside
        first = false
    }

    companion object {
        /** A probability in logit space, `log(p / (1 - p))` in double precision and then rounded to float. */
        fun level(p: Double): Float = ln(p / (1.0 - p)).toFloat()

        /** Where logits lie between the low and the high level, so that the network is unsure. */
        fun unsure(logits: FloatArray, trust: OutputTrust): BooleanArray {
            val (low, high) = level(trust.low) to level(trust.high)
            return BooleanArray(logits.size) { logits[it] > low && !(logits[it] > high) }
        }
    }
}

/** Counts over the slices of one volume for each of a network's masks; those of which the contract tells nothing are not counted. */
class MaskTallies(private val rules: List<MaskRule>) {
    private val tallies = rules.map { rule -> rule.trust?.let(::OutputTally) }

    /** What was counted so far of each mask. */
    val counts: List<OutputCounts?> get() = tallies.map { it?.counts }

    /** What these counts mean. */
    val verdicts: List<Verdict?> get() = rules.zip(counts) { rule, one -> if (rule.trust == null || one == null) null else Verdict.of(one, rule.trust) }

    /** Counts the next slice, the logits of each mask as [OutputTally.add] takes them. */
    fun add(logits: List<FloatArray>, width: Int) = tallies.zip(logits).forEach { (tally, one) -> tally?.add(one, width) }
}
