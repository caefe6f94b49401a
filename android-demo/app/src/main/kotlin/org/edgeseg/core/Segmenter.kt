package org.edgeseg.core

/** The masks of a case on its slices' own grid, and what they cost. */
class Segmentation(val masks: List<BooleanArray>, val pixels: List<Int>, val sliceMs: List<Double>, val postMs: Double) {
    val slicesWithTumour: Int get() = pixels.count { it > 0 }
    val tumourPixels: Long get() = pixels.sumOf { it.toLong() }
}

/** Thrown out of a run that was cancelled; it is no error. */
class CancelledException : Exception("cancelled")

/** The whole path from stored bytes to masks, the same steps as `edgeseg.runtime.Segmenter`; one run at a time. */
class Segmenter(val engine: Engine) : AutoCloseable {
    val contract: Contract get() = engine.contract
    private val preparer = Preparer(contract)

    /** The logits of one slice on the contract's grid; [tables] are those of its volume, as [tables] gives them. */
    fun logits(
        slice: Slice,
        into: FloatArray = FloatArray(contract.height * contract.width),
        tables: Array<FloatArray>? = null,
    ): FloatArray {
        engine.logits(preparer.prepare(slice), into, tables)
        return into
    }

    /** What the bytes of a volume become, all its slices counted; null where nothing needs to be counted. */
    fun tables(volume: Volume): Array<FloatArray>? {
        if (!(volume.whole && contract.byVolume)) return null
        val counts = Normaliser.counts(contract)
        for (slice in volume.slices) Normaliser.count(preparer.prepare(slice), counts)
        return Normaliser.tables(contract, counts)
    }

    /**
     * Segments a case. [progress] is told how many slices are done, and [cancelled] asked before each.
     *
     * @throws CancelledException once [cancelled] says so.
     */
    fun segment(volume: Volume, cancelled: () -> Boolean = { false }, progress: (Int) -> Unit = {}): Segmentation {
        val sliceMs = ArrayList<Double>()
        val logits = ArrayList<FloatArray>()
        val tables = tables(volume)
        for (slice in volume.slices) {
            if (cancelled()) throw CancelledException()
            val before = System.nanoTime()
            try {
                logits += logits(slice, tables = tables)
            } catch (error: ArtifactException) {
                if (cancelled()) throw CancelledException()
                throw error
            }
            sliceMs += (System.nanoTime() - before) / NANOS_PER_MS
            progress(logits.size)
        }
        val before = System.nanoTime()
        if (volume.whole) {
            Components.drop(logits, contract, volume = true)
        } else {
            for (one in logits) Components.drop(listOf(one), contract, volume = false)
        }
        val masks = volume.slices.zip(logits) { slice, one -> mask(one, slice.height, slice.width) }
        val postMs = (System.nanoTime() - before) / NANOS_PER_MS
        return Segmentation(masks, masks.map { mask -> mask.count { it } }, sliceMs, postMs)
    }

    /** Runs the contract's golden case where it has one. */
    fun selfTest(): SelfTest? {
        val golden = contract.golden ?: return null
        val drawn = Drawing.draw(golden, contract.height, contract.width)
        if (sha256(drawn) != golden.inputSha256) {
            throw ArtifactException("The golden case of the model's contract is drawn wrongly here. Update the app, or take a fresh copy of the model.")
        }
        val wanted = Runs.decode(golden.maskRuns, contract.height * contract.width)
        if (sha256(ByteArray(wanted.size) { if (wanted[it]) 1 else 0 }) != golden.maskSha256) {
            throw ContractException("The golden mask of the model's contract does not have the digest beside it. Take a fresh copy of the model.")
        }
        val logits = logits(Slice("golden", contract.height, contract.width, drawn))
        val threshold = contract.logitThreshold.toFloat()
        val mask = BooleanArray(logits.size) { logits[it] > threshold }
        val flips = Runs.flips(mask, wanted)
        val near = golden.logits.all { Math.abs(logits[it.row * contract.width + it.column] - it.logit) <= golden.logitTolerance }
        return SelfTest(near && flips <= golden.allowedFlips, flips, golden.allowedFlips, 1)
    }

    override fun close() = engine.close()

    private fun mask(logits: FloatArray, height: Int, width: Int): BooleanArray {
        val own = if (height == contract.height && width == contract.width) logits else FloatArray(height * width).also {
            Resampler(contract.height, contract.width, height, width).floats(logits, it)
        }
        val threshold = contract.logitThreshold.toFloat()
        return BooleanArray(own.size) { own[it] > threshold }
    }

    private companion object {
        const val NANOS_PER_MS = 1e6
    }
}
