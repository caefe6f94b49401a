package org.edgeseg.core

/** Whether the classes and regions of a contract fit its output, by the rules of `edgeseg/specs/region.py`. */
internal object RegionRules {
    /** What is wrong; null where nothing is. */
    fun fault(contract: Contract): String? = contract.run {
        val numbers = classes.indices
        when {
            classes.size == 1 || classes.toSet().size != classes.size -> "classes are $classes; each of several channels needs a name of its own"
            output == Contract.SOFTMAX && classes.isEmpty() -> "output is 'softmax' and classes are missing"
            regions.isEmpty() && exclusive -> "exclusive says how regions share a pixel, and there are no regions"
            regions.isNotEmpty() && foreground.isNotEmpty() -> "foreground is for one mask and regions are for several"
            regions.isEmpty() && classes.isEmpty() && foreground.isEmpty() -> null
            regions.isEmpty() -> ofForeground(contract)
            regions.size == 1 || regions.map { it.name }.toSet().size != regions.size || regions.map { it.label }.toSet().size != regions.size ->
                "regions are ${regions.map { it.name }}; at least two are needed, each with a name and a label of its own"
            else -> regions.firstNotNullOfOrNull { one -> of(one, numbers, exclusive) }
        }
    }

    private fun ofForeground(contract: Contract): String? = contract.run {
        val most = if (output == Contract.PROBABILITIES) classes.size else classes.size - 1
        val good = foreground.isNotEmpty() && foreground.toSet().size == foreground.size && foreground.all { it in classes.indices } && foreground.size <= most
        if (good) null else "foreground is $foreground and there are ${classes.size} classes"
    }

    private fun of(one: MaskRule, numbers: IntRange, exclusive: Boolean): String? = when {
        one.name.isNullOrEmpty() -> "a region has no name"
        one.channels.isEmpty() || one.channels.toSet().size != one.channels.size || one.channels.any { it !in numbers } ->
            "channels of region '${one.name}' are ${one.channels} and classes name ${numbers.count()}"
        exclusive && one.channels.size == numbers.count() -> "region '${one.name}' holds all channels of a softmax"
        one.label !in 1..255 -> "label of region '${one.name}' is ${one.label}; 1 to 255 is needed"
        !(one.threshold > 0.0 && one.threshold < 1.0) -> "threshold of region '${one.name}' is ${one.threshold}; a probability strictly between 0 and 1 is needed"
        else -> null
    }
}
