package org.edgeseg.core

/** One thing that may be odd: it is there where [bias] and the sum of [weights] times the features at [on] exceed 0. */
class InputSign(val kind: String, val channels: List<Int>, val on: List<Int>, val weights: List<Double>, val bias: Double)

/**
 * What tells that an input is unlike those that the network learned from; of volumes.
 *
 * @property features which of [InputFeatures] are used, by number.
 * @property typical the median of each; [spread] what the distance from it is divided by.
 */
class InputLook(val features: List<Int>, val typical: List<Double>, val spread: List<Double>, val signs: List<InputSign>, val patients: Int, val data: String) {
    companion object {
        /** What may be odd, and how many channels it names. */
        val KINDS = mapOf(
            "swapped" to 2, "cycled" to 3, "apart" to 0, "upside-down" to 0, "turned" to 0, "cut-out" to 0, "cut-off" to 0, "too-large" to 0, "too-small" to 0,
            "uneven-sides" to 0, "uneven-front" to 0, "uneven-back" to 0, "too-bright" to 0, "too-dark" to 0, "blurred" to 0, "noisy" to 0, "inverted" to 0, "marked" to 0,
        )
    }
}

/** Reads `trust.input` of a contract, and holds it to the rules of `edgeseg/specs/input_look.py`. */
internal object InputReader {
    private const val LEAST = 1e-6
    private const val GREATEST = 1e6
    private val NUMBER = Regex("0|[1-9]\\d?")

    fun read(json: JsonObject): InputLook {
        val signs = json.texts("signs")
        val (on, weights, bias) = Triple(json.wholeLists("on"), json.realLists("weights"), json.reals("bias"))
        if (listOf(on, weights, bias).any { it.size != signs.size } || signs.toSet().size != signs.size) {
            throw JsonException("${json.path}: signs, on, weights and bias are not as many, or a sign is there twice")
        }
        return InputLook(
            features = json.wholes("features"),
            typical = json.reals("typical"),
            spread = json.reals("spread"),
            signs = signs.mapIndexed { at, sign -> sign(json, sign, on[at], weights[at], bias[at]) },
            patients = json.whole("patients"),
            data = json.text("data"),
        ).also { json.requireAllTaken() }
    }

    private fun sign(json: JsonObject, sign: String, on: List<Int>, weights: List<Double>, bias: Double): InputSign {
        val parts = sign.split(' ')
        val numbers = parts.drop(1)
        if (InputLook.KINDS[parts[0]] != numbers.size || !numbers.all(NUMBER::matches)) throw JsonException("${json.path}.signs: '$sign' is not known")
        return InputSign(parts[0], numbers.map { it.toInt() }, on, weights, bias)
    }

    /** What is wrong with it in a contract of so many channels; null where nothing is. */
    fun fault(look: InputLook, channels: Int): String? = look.run {
        val numbers = typical + signs.flatMap { it.weights + it.bias }
        when {
            typical.size != features.size || spread.size != features.size -> "features, typical and spread of trust.input are not as many"
            !among(features, InputFeatures.count(channels)) -> "trust.input uses features that $channels channels do not have, or one twice"
            !spread.all { it in LEAST..GREATEST } -> "a spread of trust.input is out of range"
            !numbers.all { Math.abs(it) <= GREATEST } -> "a number of trust.input is out of range"
            patients < 1 -> "trust.input has $patients patients; at least one is needed"
            else -> signs.firstOrNull { it.on.isEmpty() || it.on.size != it.weights.size || !among(it.on, features.size) || !among(it.channels, channels) }
                ?.let { "the sign '${it.kind}' of trust.input cannot be honoured" }
        }
    }

    /** Whether numbers are different and each from 0 to less than [count]. */
    private fun among(numbers: List<Int>, count: Int) = numbers.toSet().size == numbers.size && numbers.all { it in 0 until count }
}
