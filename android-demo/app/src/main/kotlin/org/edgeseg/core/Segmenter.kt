package org.edgeseg.core

/** One of the masks that a network draws, on the slices of a case and their own grid. */
class Drawn(val masks: List<BooleanArray>) {
    val pixels: List<Int> = masks.map { mask -> mask.count { it } }
    val total: Long = pixels.sumOf { it.toLong() }
    val slices: Int = pixels.count { it > 0 }
}

/**
 * What was drawn on a case, each of the contract's masks in [classes], and what it cost; [doubt] is null for lone slices and
 * where the contract tells of no mask how far to trust it. [oddity] says what is odd about the input, of lone slices and
 * without `trust.input` only what is certain; null where nothing is.
 */
class Segmentation(val classes: List<Drawn>, val sliceMs: List<Double>, val postMs: Double, val doubt: Doubt? = null, val oddity: Oddity? = null) {
    private val all = classes.singleOrNull() ?: Drawn(classes.first().masks.indices.map { union(it) })

    /** Pixels that lie in any mask, slice by slice. */
    val masks: List<BooleanArray> get() = all.masks
    val pixels: List<Int> get() = all.pixels
    val slicesWithTumour: Int get() = all.slices
    val tumourPixels: Long get() = all.total

    /** The masks of a slice, one of each class. */
    fun of(slice: Int): List<BooleanArray> = classes.map { it.masks[slice] }

    /** On how many pixels of a slice another segmentation differs in any class. */
    fun flips(other: Segmentation, slice: Int): Int {
        val pairs = of(slice).zip(other.of(slice))
        return pairs.first().first.indices.count { at -> pairs.any { (one, another) -> one[at] != another[at] } }
    }

    private fun union(slice: Int): BooleanArray = of(slice).let { masks -> BooleanArray(masks[0].size) { at -> masks.any { it[at] } } }
}

/** Thrown out of a run that was cancelled; it is no error. */
class CancelledException : Exception("cancelled")

/** The whole path from stored bytes to masks, the same steps as `edgeseg.runtime.Segmenter`; one run at a time. */
class Segmenter(val engine: Engine) : AutoCloseable {
    val contract: Contract get() = engine.contract
    private val preparer = Preparer(contract)

    private val grid = contract.height * contract.width

    /** The logits of one slice on the contract's grid, mask after mask; [tables] are those of its volume, as [tables] gives them. */
    fun logits(
        slice: Slice,
        into: FloatArray = FloatArray(contract.masks.size * grid),
        tables: Array<FloatArray>? = null,
    ): FloatArray {
        Mirrored.logits(engine, preparer.prepare(slice), into, tables)
        return into
    }

    /** What the bytes of a volume become, all its slices counted; null where nothing needs to be counted. */
    fun tables(volume: Volume): Array<FloatArray>? {
        if (!(volume.whole && contract.byVolume)) return null
        val counts = Normaliser.counts(contract)
        for (slice in volume.slices) Normaliser.count(preparer.prepare(framed(volume, slice)), counts)
        return Normaliser.tables(contract, counts)
    }

    /**
     * Segments a case. [progress] is told how many slices are done, and [cancelled] asked before each.
     *
     * @throws CancelledException once [cancelled] says so.
     */
    fun segment(volume: Volume, cancelled: () -> Boolean = { false }, progress: (Int) -> Unit = {}): Segmentation {
        val sliceMs = ArrayList<Double>()
        val logits = ArrayList<List<FloatArray>>()
        val tables = tables(volume)
        val tallies = MaskTallies(contract.masks).takeIf { volume.whole && contract.masks.any { it.trust != null } }
        val (seen, looked) = InputTally(contract.channels.size) to InputTally.lookedAt(volume.slices.size).toSet()
        for (slice in volume.slices) {
            if (cancelled()) throw CancelledException()
            val before = System.nanoTime()
            try {
                logits += planes(logits(framed(volume, slice), tables = tables))
                if (logits.lastIndex in looked) seen.add(preparer.planes, contract.height, contract.width)
                tallies?.add(logits.last(), contract.width)
            } catch (error: ArtifactException) {
                if (cancelled()) throw CancelledException()
                throw error
            }
            sliceMs += (System.nanoTime() - before) / NANOS_PER_MS
            progress(logits.size)
        }
        val before = System.nanoTime()
        val doubt = tallies?.let { Doubt.of(contract.masks, it.verdicts, unsure(logits, volume)) }
        val drawn = contract.masks.mapIndexed { number, rule ->
            val own = logits.map { it[number] }
            for (group in if (volume.whole) listOf(own) else own.map { listOf(it) }) Components.drop(group, contract, volume.whole, rule)
            Drawn(volume.slices.zip(own) { slice, one -> mask(one, rule, volume, slice) })
        }
        val oddity = Oddity.of(seen, contract.trust?.input?.takeIf { volume.whole }, contract.channels)
        return Segmentation(drawn, sliceMs, (System.nanoTime() - before) / NANOS_PER_MS, doubt, oddity)
    }

    /** Runs the contract's golden case where it has one. */
    fun selfTest(): SelfTest? {
        val golden = contract.golden ?: return null
        val drawn = Drawing.draw(golden, contract.height, contract.width)
        if (sha256(drawn) != golden.inputSha256) {
            throw ArtifactException("The golden case of the model's contract is drawn wrongly here. Update the app, or take a fresh copy of the model.")
        }
        val wanted = Runs.decode(golden.maskRuns, contract.masks.size * grid)
        if (sha256(ByteArray(wanted.size) { if (wanted[it]) 1 else 0 }) != golden.maskSha256) {
            throw ContractException("The golden mask of the model's contract does not have the digest beside it. Take a fresh copy of the model.")
        }
        val logits = logits(Drawing.slice(drawn, contract))
        val thresholds = contract.masks.map { it.logitThreshold.toFloat() }
        val mask = BooleanArray(logits.size) { logits[it] > thresholds[it / grid] }
        val flips = Runs.flips(mask, wanted)
        val near = golden.logits.all { Math.abs(logits[it.row * contract.width + it.column] - it.logit) <= golden.logitTolerance }
        return SelfTest(near && flips <= golden.allowedFlips, flips, golden.allowedFlips, 1)
    }

    override fun close() = engine.close()

    private fun framed(volume: Volume, slice: Slice): Slice = volume.framedSize(slice, contract).let { (height, width) -> slice.framed(height, width) }

    private fun planes(logits: FloatArray): List<FloatArray> =
        if (contract.masks.size == 1) listOf(logits) else contract.masks.indices.map { logits.copyOfRange(it * grid, (it + 1) * grid) }

    /** A mask on the slice's own grid, without what was padded. */
    private fun mask(logits: FloatArray, rule: MaskRule, volume: Volume, slice: Slice): BooleanArray {
        val threshold = rule.logitThreshold.toFloat()
        return own(logits, volume, slice).let { own -> BooleanArray(own.size) { own[it] > threshold } }
    }

    /** Where the network is unsure of any mask on each slice's own grid, before a component is dropped; slices where it is not share an empty one. */
    private fun unsure(logits: List<List<FloatArray>>, volume: Volume): List<BooleanArray> {
        val nowhere = HashMap<Int, BooleanArray>()
        return volume.slices.zip(logits) { slice, masks ->
            val parts = contract.masks.zip(masks).mapNotNull { (rule, one) -> rule.trust?.let { unsure(one, it, volume, slice) } }
            if (parts.isEmpty()) nowhere.getOrPut(slice.height * slice.width) { BooleanArray(slice.height * slice.width) }
            else parts.reduce { all, one -> BooleanArray(all.size) { all[it] || one[it] } }
        }
    }

    private fun unsure(logits: FloatArray, trust: OutputTrust, volume: Volume, slice: Slice): BooleanArray? {
        val low = OutputTally.level(trust.low)
        return if (logits.any { it > low }) OutputTally.unsure(own(logits, volume, slice), trust) else null
    }

    /** Logits on the slice's own grid, without what was padded; these very ones where that is the network's. */
    private fun own(logits: FloatArray, volume: Volume, slice: Slice): FloatArray {
        val (height, width) = volume.framedSize(slice, contract)
        val framed = if (height == contract.height && width == contract.width) logits else FloatArray(height * width).also {
            Resampler(contract.height, contract.width, height, width).floats(logits, it)
        }
        if (height == slice.height && width == slice.width) return framed
        return FloatArray(slice.height * slice.width) { framed[it / slice.width * width + it % slice.width] }
    }

    private companion object {
        const val NANOS_PER_MS = 1e6
    }
}
