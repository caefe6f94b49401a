package org.edgeseg.core

/** Reads the JSON of a contract, and refuses what cannot be honoured. */
internal class ContractReader(private val json: JsonObject, private val text: String) {
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
            outputLayout = (if (json.has("output_layout")) json.textOrNull("output_layout") else null) ?: json.text("layout"),
            output = if (json.has("output")) json.text("output") else Contract.LOGITS,
            classes = if (json.has("classes")) json.texts("classes") else emptyList(),
            foreground = if (json.has("foreground")) json.wholes("foreground") else emptyList(),
            regions = if (json.has("regions")) json.objects("regions").mapIndexed { number, it -> region(it, number) } else emptyList(),
            exclusive = json.has("exclusive") && json.flag("exclusive"),
            referenceChannel = if (json.has("reference_channel")) json.textOrNull("reference_channel") else null,
            standIn = if (json.has("stand_in")) json.textOrNull("stand_in") else null,
            plane = if (json.has("plane")) json.text("plane") else Contract.AXIAL,
            trust = if (json.has("trust")) json.objOrNull("trust")?.let(TrustReader::read) else null,
            passes = if (json.has("passes")) json.whole("passes") else 1,
        )
        for (unused in listOf("training_hash", "calibration_hash", "profile")) {
            json.textOrNull(unused)
        }
        if (json.has("float_layers")) json.texts("float_layers")
        json.requireAllTaken()
        return contract.also { check(it) }
    }

    private fun check(contract: Contract) {
        unable(contract)?.let { throw ContractException("This app cannot run the model: $it. Take it to a computer with edgeseg, or use another model.") }
        val problem = when {
            contract.layout != "NCHW" && contract.layout != "NHWC" -> "layout is '${contract.layout}'; NCHW or NHWC is needed"
            contract.outputLayout != "NCHW" && contract.outputLayout != "NHWC" ->
                "output_layout is '${contract.outputLayout}'; NCHW or NHWC is needed"
            contract.normalisation !in PLAIN + MEASURED -> "normalisation is '${contract.normalisation}'; unit, slice, mean-std, z-score or percentile is needed"
            (contract.intensity != null) != (contract.normalisation in MEASURED) ->
                "normalisation is '${contract.normalisation}', and intensity is ${if (contract.intensity == null) "missing" else "of no use"}"
            contract.intensity?.let { fault(it, contract) } != null -> fault(contract.intensity, contract)
            contract.channels.isEmpty() || contract.channels.toSet().size != contract.channels.size || "" in contract.channels ->
                "the channels are ${contract.channels}; each needs a name of its own"
            listOfNotNull(contract.referenceChannel, contract.standIn).any { it !in contract.channels } ->
                "reference_channel or stand_in is none of the channels ${contract.channels.joinToString()}"
            contract.passes !in 1..2 -> "passes is ${contract.passes}; 1 or 2 is needed"
            contract.output !in OUTPUTS -> "output is '${contract.output}'; logits, probabilities or softmax is needed"
            RegionRules.fault(contract) != null -> RegionRules.fault(contract)
            TrustReader.fault(contract) != null -> TrustReader.fault(contract)
            !(contract.threshold > 0.0 && contract.threshold < 1.0) ->
                "threshold is ${contract.threshold}; a probability strictly between 0 and 1 is needed"
            !(contract.scale > 0.0 && contract.scale.isFinite()) -> "scale is ${contract.scale}; it must be positive and finite"
            contract.height !in 1..4096 || contract.width !in 1..4096 ->
                "the image is ${contract.height} x ${contract.width}; each side must have 1 to 4096 pixels"
            !contract.masks.all { it.postProcessing.possible } ->
                "post_processing is out of range; sizes are 0 or more, a share lies in [0, 1]"
            else -> return
        }
        throw ContractException("The model's contract cannot be honoured: $problem. Take a fresh copy of the model.")
    }

    /** What a contract may ask for and this app does not do. */
    private fun unable(contract: Contract): String? = when {
        contract.plane != Contract.AXIAL -> "it takes ${contract.plane} slices of a volume, and the app gives it axial ones"
        contract.channels.size > Contract.MOST_CHANNELS -> "it takes ${contract.channels.size} channels, and the app reads at most ${Contract.MOST_CHANNELS}"
        else -> null
    }

    private fun region(json: JsonObject, number: Int): MaskRule {
        val colour = if (json.has("colour")) json.wholes("colour") else emptyList()
        if (colour.isNotEmpty() && (colour.size != 3 || colour.any { it !in 0..255 })) throw JsonException("${json.path}.colour: expected 3 bytes")
        val rgb = if (colour.isEmpty()) MaskRule.COLOURS[number % MaskRule.COLOURS.size] else colour.fold(0) { all, one -> (all shl 8) or one }
        if (json.has("code")) json.texts("code")
        val rules = if (json.has("post_processing")) postProcessing(json.obj("post_processing")) else PostProcessing(0, 0, 0.0)
        val threshold = if (json.has("threshold")) json.real("threshold") else 0.5
        val trust = if (json.has("trust")) json.objOrNull("trust")?.let(TrustReader::output) else null
        return MaskRule(json.text("name"), json.wholes("channels"), json.whole("label"), threshold, rules, rgb, trust).also { json.requireAllTaken() }
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
        val OUTPUTS = listOf(Contract.LOGITS, Contract.PROBABILITIES, Contract.SOFTMAX)
        val PLAIN = listOf("unit", "slice")
        val MEASURED = listOf("mean-std", "z-score", "percentile")
        val THEN = listOf("nothing", "z-score", "mean-std")
        const val LEAST = 1e-6
        const val GREATEST = 1e6
        val DIGEST = Regex("[0-9a-f]{64}")
    }
}
