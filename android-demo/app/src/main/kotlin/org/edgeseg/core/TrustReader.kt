package org.edgeseg.core

/** Reads the field `trust` of a contract, and holds it to the rules of `edgeseg/specs/trust.py`. */
internal object TrustReader {
    private const val NEAREST = 1e-15
    private const val GREATEST = 1e6

    fun read(json: JsonObject): Trust {
        val output = if (json.has("output")) json.objOrNull("output")?.let(::output) else null
        val input = if (json.has("input")) json.objOrNull("input")?.let(InputReader::read) else null
        json.requireAllTaken()
        if (output == null && input == null) throw JsonException("${json.path}: holds nothing")
        return Trust(output, input)
    }

    /** Reads what stands below `output`. */
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

    /** What is wrong with it in a contract that has so many regions and channels; null where nothing is. */
    fun fault(trust: Trust?, regions: Int, channels: Int): String? = trust?.output?.let { fault(it, regions) } ?: trust?.input?.let { InputReader.fault(it, channels) }

    private fun fault(output: OutputTrust, regions: Int): String? = output.run {
        val names = features.map { it.name }
        val numbers = listOf(intercept, volumeLow, volumeHigh, slope, offset) + features.flatMap { listOf(it.weight, it.typical) }
        when {
            regions > 0 -> "trust.output is for a network of one mask, and there are regions"
            names.isEmpty() || names.toSet().size != names.size -> "trust.output.features are $names; at least one is needed, each once"
            !(low >= NEAREST && low < middle && middle < high && high <= 1.0 - NEAREST) ->
                "trust.output has low $low, middle $middle and high $high; probabilities between 0 and 1 in this order are needed"
            !listOf(lookBelow, coverage, threshold).all { it > 0.0 && it < 1.0 } ->
                "look_below, coverage or threshold of trust.output is not between 0 and 1"
            !numbers.all { Math.abs(it) <= GREATEST } -> "a number of trust.output is out of range"
            volumeLow < 0.0 || volumeHigh < 0.0 || slope <= 0.0 -> "volume_low, volume_high or slope of trust.output is too small"
            groups !in 1..patients -> "trust.output has $patients patients in $groups groups; each group has at least one"
            else -> null
        }
    }
}
