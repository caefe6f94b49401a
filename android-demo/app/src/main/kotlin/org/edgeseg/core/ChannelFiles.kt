package org.edgeseg.core

/** Which pictures hold one slice: its name, and its files, one for all channels or one for each in order. */
class SliceFiles(val name: String, val files: List<String>)

/**
 * How pictures hold the channels of a slice. Three are the red, green and blue of one picture, one is grey, and others are a grey
 * picture each, whose name ends in the channel's name or in its number as nnU-Net writes it, `_0000`, `_0001` and so on.
 */
class ChannelFiles(private val channels: List<String>) {
    private val together = channels.size == 1 || channels.size == Slice.RGB

    /** Puts the files of each slice together, in the order in which slices come. */
    fun group(names: List<String>): List<SliceFiles> {
        if (together) return names.map { SliceFiles(it, listOf(it)) }
        val slices = LinkedHashMap<String, Array<String?>>()
        for (name in names) {
            val stem = Names.stem(name)
            val (place, slice) = channels.indices.firstNotNullOfOrNull { place -> endings(place).firstNotNullOfOrNull { without(stem, it) }?.let { place to it } }
                ?: throw SliceException(
                    "$name does not say which channel it holds. The model takes ${channels.size}: give each slice a grey picture for each, " +
                        "named like slice_1_${channels.first()}, or slice_1_0000, for ${channels.joinToString()}.",
                )
            slices.getOrPut(slice) { arrayOfNulls(channels.size) }[place] = name
        }
        return slices.map { (name, files) ->
            val missing = files.indexOfFirst { it == null }
            if (missing >= 0) throw SliceException("Slice $name has no picture of '${channels[missing]}'. Each slice needs one for each of ${channels.joinToString()}.")
            SliceFiles(name, files.map { it!! })
        }
    }

    /** Makes a slice of its pictures, which are decoded in colour. */
    fun slice(files: SliceFiles, pictures: List<Slice>): Slice {
        if (channels.size == Slice.RGB) return pictures.single()
        pictures.firstOrNull { !isGrey(it) }?.let {
            throw SliceException("${it.name} is in colour, and the model takes grey pictures of ${channels.joinToString()}. Choose the grey ones.")
        }
        val first = pictures.first()
        pictures.firstOrNull { it.height != first.height || it.width != first.width }?.let {
            throw SliceException("${it.name} has ${it.width} x ${it.height} pixels and ${first.name} has ${first.width} x ${first.height}; the channels of a slice have one size.")
        }
        val bytes = ByteArray(first.height * first.width * channels.size) { pictures[it % channels.size].bytes[it / channels.size * Slice.RGB] }
        return Slice(files.name, first.height, first.width, bytes, channels.size)
    }

    private fun endings(place: Int) = listOf("_${channels[place]}", "_%04d".format(java.util.Locale.ROOT, place))

    /** A name without its ending; null where it ends otherwise. */
    private fun without(name: String, ending: String) = if (name.endsWith(ending, ignoreCase = true)) name.dropLast(ending.length) else null

    private fun isGrey(picture: Slice): Boolean = (0 until picture.height * picture.width).all { at ->
        val first = at * Slice.RGB
        picture.bytes[first] == picture.bytes[first + 1] && picture.bytes[first] == picture.bytes[first + 2]
    }
}
