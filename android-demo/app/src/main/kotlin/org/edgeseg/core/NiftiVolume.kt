package org.edgeseg.core

/** Makes a case of NIfTI files: a file for each channel, or one that holds them all in order. */
class NiftiVolume(private val contract: Contract) {
    private val channels = contract.given

    /** Joins the sequences of [files], names and contents, on the grid of the channel that masks lie on. */
    fun of(title: String, files: List<Pair<String, ByteArray>>): Volume {
        val opened = files.flatMap { (name, bytes) -> Nifti.open(name, bytes) }
        val chosen = choose(opened)
        val reference = chosen.getValue(contract.reference)
        val ranges = chosen.mapValues { GreyRange(it.value) }
        ranges.entries.firstOrNull { it.value.flat }?.let { throw SliceException("${chosen.getValue(it.key).name} holds one value everywhere. Choose another file for '${it.key}'.") }
        val planes = ranges.mapValues { (channel, range) -> on(reference, chosen.getValue(channel), range) }
        val order = channels.map { planes[it] ?: planes.getValue(contract.missing!!) }
        val (depth, height, width) = reference.grid.shape
        val slices = List(depth) { slice ->
            val once = order.distinct().associateWith { it(slice) }
            val read = order.map { once.getValue(it) }
            Slice("slice_%03d".format(java.util.Locale.ROOT, slice + 1), height, width, ByteArray(height * width * read.size) { read[it % read.size][it / read.size] }, read.size)
        }
        return Volume(title, slices, null, whole = true, reference.grid.spacing, reference.header.oriented, reference)
    }

    /** The slices of a sequence on the grid of another. */
    private fun on(reference: NiftiSequence, sequence: NiftiSequence, range: GreyRange): (Int) -> ByteArray {
        if (sequence.grid.sameAs(reference.grid)) return range::plane
        val resliced = Resliced(range, sequence.grid, reference.grid)
        if (resliced.covered == 0.0) throw SliceException("${sequence.name} does not overlap with ${reference.name} anywhere. Are both of one patient and one visit?")
        return resliced::plane
    }

    private fun choose(opened: List<NiftiSequence>): Map<String, NiftiSequence> {
        if (opened.size == channels.size && (channels.size == 1 || opened.map { it.name }.distinct().size == 1)) return channels.zip(opened).toMap()
        val found = HashMap<String, NiftiSequence>()
        for (sequence in opened) {
            val channel = Recognised.channel(sequence.name, channels) ?: continue
            found.put(channel, sequence)?.let { throw SliceException("${it.name} and ${sequence.name} both seem to be '$channel'. Choose one of them.") }
        }
        val missing = channels.filter { it !in found }
        val allowed = contract.missing.takeIf { it in found && contract.reference in found }
        if (missing.isNotEmpty() && allowed == null) {
            throw SliceException(
                "Among ${opened.size} volumes none is '${missing.first()}' by its name, which the model needs. Choose a file for each of " +
                    "${channels.joinToString()}, each named by its channel, or one file that holds them in this order.",
            )
        }
        return found
    }
}

/** Which channel a file holds, by the words of its name; `edgeseg run` knows more of them. */
object Recognised {
    private val FLAIR = setOf("flair", "tflair", "darkfluid")
    private val T1 = setOf("t1", "t1w", "t1n", "mprage", "spgr", "fspgr", "bravo", "vibe", "tfl", "mp2rage")
    private val POST = setOf("post", "after", "contrast", "gd", "gad", "gado", "ce", "t1ce", "t1c", "t1gd", "enhanced")
    private val PRE = setOf("pre", "before", "native", "plain", "unenhanced", "without", "precontrast")
    private val NEVER = setOf("dwi", "adc", "seg", "mask", "label", "roi", "perf", "sub", "map")

    /** The channel of a file; null where its name does not say. */
    fun channel(file: String, channels: List<String>): String? {
        val stem = file.substringAfterLast('/').replace(Regex("\\.nii(\\.gz)?$", RegexOption.IGNORE_CASE), "").lowercase(java.util.Locale.ROOT)
        Regex("_(\\d{4})$").find(stem)?.let { found -> channels.getOrNull(found.groupValues[1].toInt())?.let { return it } }
        val words = stem.split(Regex("[^a-z0-9]+")).toSet()
        channels.filter { it.lowercase(java.util.Locale.ROOT).split(Regex("[^a-z0-9]+")).all(words::contains) }.maxByOrNull { it.length }?.let { return it }
        if (channels != Contract.SLICE_CHANNELS || words.any(NEVER::contains)) return null
        return when {
            words.any(FLAIR::contains) -> "flair"
            words.any(PRE::contains) -> "pre"
            words.any(POST::contains) -> "post"
            words.any(T1::contains) -> "pre"
            else -> null
        }
    }
}
