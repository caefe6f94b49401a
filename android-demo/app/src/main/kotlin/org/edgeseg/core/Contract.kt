package org.edgeseg.core

import kotlin.math.ln

/** Which connected components are too small to keep; 0 switches a rule off. */
data class PostProcessing(val minAreaPx: Int, val minVolumePx: Int, val minShare: Double) {
    /** Whether a rule is on for volumes, or for lone slices. */
    fun applies(volume: Boolean): Boolean = if (volume) minVolumePx > 0 || minShare > 0 else minAreaPx > 0
}

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
) {
    /** Whether the pixels of a whole volume have to be counted before its first slice can be normalised. */
    val byVolume: Boolean get() = intensity != null && normalisation != "mean-std" && intensity.over == "volume"

    /** The threshold in logit space, `log(t / (1 - t))`. */
    val logitThreshold: Double get() = ln(threshold / (1.0 - threshold))

    /** How many of so many pixels may differ between devices: the share that may on the golden case; none without one. */
    fun allowedFlips(pixels: Int): Int = golden?.let { (it.allowedFlips.toLong() * pixels / (height * width)).toInt() } ?: 0

    companion object {
        /** The metadata property of an ONNX file that holds the contract. */
        const val KEY = "edgeseg.contract"

        /** The newest schema that this reader knows. */
        const val SCHEMA_VERSION = 3

        /** The channels of a slice as it is read, in that order. */
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

private class ContractReader(private val json: JsonObject, private val text: String) {
    fun read(): Contract {
        val version = json.whole("schema_version")
        if (version !in 1..Contract.SCHEMA_VERSION) {
            throw ContractException(
                "The model's contract has schema $version, and this app reads 1 to ${Contract.SCHEMA_VERSION}. " +
                    "Update the app, or take a model of the version that belongs to it.",
            )
        }
        val contract = Contract(
            variant = variant(json.obj("variant")),
            tier = json.text("tier"),
            target = json.text("target"),
            layout = json.text("layout"),
            channels = json.texts("channels"),
            height = json.whole("height"),
            width = json.whole("width"),
            normalisation = json.text("normalisation"),
            scale = json.real("scale"),
            threshold = json.real("threshold"),
            postProcessing = postProcessing(json.obj("post_processing")),
            trainedOn = json.text("trained_on"),
            calibratedOn = json.textOrNull("calibrated_on"),
            seenPatients = json.texts("seen_patients"),
            licence = json.textOrNull("licence"),
            intendedUse = json.text("intended_use"),
            golden = json.objOrNull("golden")?.let { golden(it) },
            contentSha256 = digestOrNull("content_sha256"),
            contractSha256 = digestOrNull("contract_sha256"),
            text = text,
            intensity = if (json.has("intensity")) intensity(json.obj("intensity")) else null,
            outputLayout = if (json.has("output_layout")) json.text("output_layout") else json.text("layout"),
        )
        for (unused in listOf("training_hash", "calibration_hash", "profile")) {
            json.textOrNull(unused)
        }
        if (json.has("float_layers")) json.texts("float_layers")
        if (json.has("output")) requireLogits(json.text("output"))
        for (unused in listOf("classes", "foreground")) {
            if (json.has(unused)) throw ContractException("The model gives several classes, and this app reads one. Use a model of one class.")
        }
        json.requireAllTaken()
        return contract.also { check(it) }
    }

    private fun requireLogits(output: String) {
        if (output != "logits") {
            throw ContractException(
                "The model gives $output, and this app reads logits. Use a model that gives logits.",
            )
        }
    }

    private fun check(contract: Contract) {
        val problem = when {
            contract.layout != "NCHW" && contract.layout != "NHWC" -> "layout is '${contract.layout}'; NCHW or NHWC is needed"
            contract.outputLayout != "NCHW" && contract.outputLayout != "NHWC" ->
                "output_layout is '${contract.outputLayout}'; NCHW or NHWC is needed"
            contract.normalisation !in PLAIN + MEASURED -> "normalisation is '${contract.normalisation}'; unit, slice, mean-std, z-score or percentile is needed"
            (contract.intensity != null) != (contract.normalisation in MEASURED) ->
                "normalisation is '${contract.normalisation}', and intensity is ${if (contract.intensity == null) "missing" else "of no use"}"
            contract.intensity?.let { fault(it, contract) } != null -> fault(contract.intensity, contract)
            contract.channels.sorted() != Contract.SLICE_CHANNELS.sorted() ->
                "it asks for the channels ${contract.channels.joinToString()}; slices have ${Contract.SLICE_CHANNELS.joinToString()}"
            !(contract.threshold > 0.0 && contract.threshold < 1.0) ->
                "threshold is ${contract.threshold}; a probability strictly between 0 and 1 is needed"
            !(contract.scale > 0.0 && contract.scale.isFinite()) -> "scale is ${contract.scale}; it must be positive and finite"
            contract.height !in 1..4096 || contract.width !in 1..4096 ->
                "the image is ${contract.height} x ${contract.width}; each side must have 1 to 4096 pixels"
            contract.postProcessing.run { minAreaPx < 0 || minVolumePx < 0 || minShare !in 0.0..1.0 } ->
                "post_processing is out of range; sizes are 0 or more, a share lies in [0, 1]"
            else -> return
        }
        throw ContractException("The model's contract cannot be honoured: $problem. Take a fresh copy of the model.")
    }

    private fun fault(spec: Intensity, contract: Contract): String? {
        val fixed = contract.normalisation == "mean-std" || spec.then == "mean-std"
        val wanted = if (fixed) contract.channels.size else 0
        return when {
            spec.over != "slice" && spec.over != "volume" -> "intensity.over is '${spec.over}'; slice or volume is needed"
            spec.pixels != "all" && spec.pixels != "non-zero" -> "intensity.pixels is '${spec.pixels}'; all or non-zero is needed"
            spec.then !in THEN || (spec.then != "nothing" && contract.normalisation != "percentile") -> "intensity.then is '${spec.then}'"
            !(spec.low >= 0.0 && spec.low < spec.high && spec.high <= 100.0) -> "intensity.low and high are percentiles, in order"
            spec.mean.size != wanted || spec.std.size != wanted -> "intensity.mean and std hold ${spec.mean.size} and ${spec.std.size} numbers; $wanted are needed"
            !spec.std.all { it in LEAST..GREATEST } || !spec.mean.all { Math.abs(it) <= GREATEST } -> "intensity.mean or std is out of range"
            else -> null
        }
    }

    private fun intensity(json: JsonObject): Intensity = Intensity(
        over = json.text("over"),
        pixels = json.text("pixels"),
        zeroStays = json.flag("zero_stays"),
        together = json.flag("together"),
        low = json.real("low"),
        high = json.real("high"),
        then = json.text("then"),
        mean = json.reals("mean"),
        std = json.reals("std"),
    ).also { json.requireAllTaken() }

    private fun variant(json: JsonObject): String {
        val name = json.text("name")
        val alpha = json.real("alpha")
        val parts = listOf(json.text("stem"), json.text("profile"))
        val pruned = json.has("widths") && json.wholes("widths").isNotEmpty()
        val levels = if (json.has("levels")) "-" + json.wholes("levels").joinToString(".") else ""
        val convolutions = if (json.has("convolutions")) "-c" + json.wholes("convolutions").joinToString("") else ""
        json.requireAllTaken()
        val width = if (alpha == Math.rint(alpha)) alpha.toInt().toString() else alpha.toString()
        val profile = if (parts[1] == "double") "" else "-${parts[1]}"
        return "$name-$width-${parts[0]}$profile$levels$convolutions" + if (pruned) ", channels removed" else ""
    }

    private fun postProcessing(json: JsonObject): PostProcessing {
        val rules = PostProcessing(json.whole("min_area_px"), json.whole("min_volume_px"), json.real("min_share"))
        json.requireAllTaken()
        return rules
    }

    private fun digestOrNull(name: String): String? = json.textOrNull(name)?.also {
        if (!DIGEST.matches(it)) throw JsonException("${json.path}.$name: expected 64 hex digits")
    }

    private fun golden(json: JsonObject): GoldenCase {
        val golden = GoldenCase(
            ellipses = json.wholeLists("ellipses"),
            noise = json.whole("noise"),
            blur = json.whole("blur"),
            inputSha256 = json.text("input_sha256"),
            maskRuns = json.text("mask_runs"),
            maskSha256 = json.text("mask_sha256"),
            allowedFlips = json.whole("allowed_flips"),
            logits = json.objects("logits").map { GoldenLogit(it.whole("row"), it.whole("column"), it.real("logit")) },
            logitTolerance = json.real("logit_tolerance"),
        )
        json.whole("tumour_pixels")
        json.text("reason")
        json.text("made_with")
        json.requireAllTaken()
        if (golden.ellipses.any { it.size != 7 }) throw JsonException("${json.path}.ellipses: expected 7 numbers each")
        return golden
    }

    private companion object {
        val PLAIN = listOf("unit", "slice")
        val MEASURED = listOf("mean-std", "z-score", "percentile")
        val THEN = listOf("nothing", "z-score", "mean-std")
        const val LEAST = 1e-6
        const val GREATEST = 1e6
        val DIGEST = Regex("[0-9a-f]{64}")
    }
}
