package org.edgeseg.core

/** One logit that the artifact gave on its golden case. */
data class GoldenLogit(val row: Int, val column: Int, val logit: Double)

/** The drawing that every device makes for itself, and the mask that this very artifact drew on it. */
data class GoldenCase(
    val ellipses: List<List<Int>>,
    val noise: Int,
    val blur: Int,
    val inputSha256: String,
    val maskRuns: String,
    val maskSha256: String,
    val allowedFlips: Int,
    val logits: List<GoldenLogit>,
    val logitTolerance: Double,
)

/** What an artifact says of itself; docs/reference/contract.md has every field. Nothing of it is repeated in the app. */
data class Contract(
    val variant: String,
    val tier: String,
    val target: String,
    val layout: String,
    val channels: List<String>,
    val height: Int,
    val width: Int,
    val normalisation: String,
    val scale: Double,
    val threshold: Double,
    val postProcessing: PostProcessing,
    val trainedOn: String,
    val calibratedOn: String?,
    val seenPatients: List<String>,
    val licence: String?,
    val intendedUse: String,
    val golden: GoldenCase?,
    val contentSha256: String?,
    val contractSha256: String?,
    val text: String,
    val intensity: Intensity? = null,
    val outputLayout: String = layout,
    val output: String = LOGITS,
    val classes: List<String> = emptyList(),
    val foreground: List<Int> = emptyList(),
    val regions: List<MaskRule> = emptyList(),
    val exclusive: Boolean = false,
    val referenceChannel: String? = null,
    val standIn: String? = null,
    val plane: String = AXIAL,
    val trust: Trust? = null,
    val passes: Int = 1,
) {
    /** The masks that the network draws: one for each region, or one. */
    val masks: List<MaskRule> = regions.ifEmpty { listOf(MaskRule(null, foreground, 1, threshold, postProcessing, trust = trust?.output)) }

    /** The channels of a slice as it is read: the contract's own, or all of TCGA-LGG's where those are of it. */
    val given: List<String> get() = if (SLICE_CHANNELS.containsAll(channels)) SLICE_CHANNELS else channels

    /** The channel on whose grid masks lie, which is also the one to look at first. */
    val reference: String get() = referenceChannel ?: FLAIR.takeIf { it in channels && given == SLICE_CHANNELS } ?: channels.first()

    /** The channel that takes the place of one that was not acquired; null where none may. */
    val missing: String? get() = standIn ?: FLAIR.takeIf { it in channels && given == SLICE_CHANNELS }

    /** Whether the pixels of a whole volume have to be counted before its first slice can be normalised. */
    val byVolume: Boolean get() = intensity != null && normalisation != "mean-std" && intensity.over == "volume"

    /** The threshold in logit space of the only mask, `log(t / (1 - t))`. */
    val logitThreshold: Double get() = masks.single().logitThreshold

    /** How many of so many pixels of all masks may differ between devices: the share that may on the golden case; none without one. */
    fun allowedFlips(pixels: Int): Int = golden?.let { (it.allowedFlips.toLong() * pixels / (height * width * masks.size)).toInt() } ?: 0

    companion object {
        /** The metadata property of an ONNX file that holds the contract. */
        const val KEY = "edgeseg.contract"

        /** The newest schema that this reader knows. */
        const val SCHEMA_VERSION = 6

        /** What a network may give for each pixel. */
        const val LOGITS = "logits"
        const val PROBABILITIES = "probabilities"
        const val SOFTMAX = "softmax"
        const val AXIAL = "axial"
        const val MOST_CHANNELS = 8
        private const val FLAIR = "flair"

        /** The channels of a slice of TCGA-LGG as it is read, in that order. */
        val SLICE_CHANNELS = listOf("pre", "flair", "post")

        /**
         * Reads a contract.
         *
         * @throws ContractException when there is none, or it cannot be read or honoured.
         */
        fun parse(text: String?): Contract {
            if (text == null) {
                throw ContractException(
                    "The model carries no contract (metadata '$KEY'), so its channels, scaling and threshold are unknown. " +
                        "Use a model that was made for this app.",
                )
            }
            try {
                return ContractReader(Json.parse(text), text).read()
            } catch (error: JsonException) {
                throw ContractException("The model's contract cannot be read (${error.message}). Take a fresh copy of the model.", error)
            }
        }
    }
}
