package org.edgeseg.core

/** Reads the fields `trust` of a contract and of its regions, and holds them to the rules of `edgeseg/specs/trust.py`. */
internal object TrustReader {
    private const val NEAREST = 1e-15
    private const val GREATEST = 1e6

    /** Between what values a feature lies: the logarithm of a width in pixels, and a share. */
    private val VALUES = mapOf(OutputTrust.BORDER to -20.0..20.0, OutputTrust.NEIGHBOURS to 0.0..1.0)

    fun read(json: JsonObject): Trust {
        val output = if (json.has("output")) json.objOrNull("output")?.let(::output) else null
        val input = if (json.has("input")) json.objOrNull("input")?.let(InputReader::read) else null
        json.requireAllTaken()
        if (output == null && input == null) throw JsonException("${json.path}: holds nothing")
        return Trust(output, input)
    }

    /** Reads what stands below `output`, or below `trust` of a region. */
    fun output(json: JsonObject) = OutputTrust(
        low = json.real("low"),
        middle = json.real("middle"),
        high = json.real("high"),
        intercept = json.real("intercept"),
        features = json.objects("features").map(::feature),
        lookBelow = json.real("look_below"),
        volumeLow = json.real("volume_low"),
        volumeHigh = json.real("volume_high"),
        coverage = json.real("coverage"),
        slope = json.real("slope"),
        offset = json.real("offset"),
        threshold = json.real("threshold"),
        patients = json.whole("patients"),
        groups = json.whole("groups"),
        network = json.text("network"),
        data = json.text("data"),
    ).also { json.requireAllTaken() }

    private fun feature(json: JsonObject): TrustFeature {
        val name = json.text("name")
        if (name !in OutputTrust.FEATURES) throw JsonException("${json.path}.name is '$name'; ${OutputTrust.FEATURES.joinToString()} are known")
        return TrustFeature(name, json.real("weight"), json.real("typical")).also { json.requireAllTaken() }
    }

    /** What is wrong with any of them; null where nothing is. */
    fun fault(contract: Contract): String? = contract.run {
        if (regions.isNotEmpty() && trust?.output != null) return "trust.output is for a network of one mask, and there are regions; each needs a trust of its own instead"
        masks.firstNotNullOfOrNull { mask -> mask.trust?.let { fault(it, mask.name?.let { name -> "trust of region '$name'" } ?: "trust.output") } }
            ?: trust?.input?.let { InputReader.fault(it, channels.size) }
    }

    private fun fault(output: OutputTrust, what: String): String? = output.run {
        val names = features.map { it.name }
        val numbers = listOf(intercept, volumeLow, volumeHigh, slope, offset) + features.flatMap { listOf(it.weight, it.typical) }
        when {
            names.isEmpty() || names.toSet().size != names.size -> "features of $what are $names; at least one is needed, each once"
            !(low >= NEAREST && low < middle && middle < high && high <= 1.0 - NEAREST) ->
                "$what has low $low, middle $middle and high $high; probabilities between 0 and 1 in this order are needed"
            !listOf(lookBelow, coverage, threshold).all { it > 0.0 && it < 1.0 } ->
                "look_below, coverage or threshold of $what is not between 0 and 1"
            !numbers.all { Math.abs(it) <= GREATEST } -> "a number of $what is out of range"
            features.any { it.typical !in VALUES.getValue(it.name) } -> "typical of a feature of $what is a value that the feature cannot have"
            volumeLow < 0.0 || volumeHigh < 0.0 || slope <= 0.0 -> "volume_low, volume_high or slope of $what is too small"
            groups !in 1..patients -> "$what has $patients patients in $groups groups; each group has at least one"
            else -> null
        }
    }
}
