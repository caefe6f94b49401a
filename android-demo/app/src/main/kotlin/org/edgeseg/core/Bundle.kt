package org.edgeseg.core

import java.io.InputStream

/** A file of the bundle and what it must be. */
data class BundleFile(val file: String, val sizeBytes: Int, val sha256: String)

/** A case that travels with the app, and the masks that the model should draw on it. */
data class BundleCase(
    val name: String,
    val title: String,
    val shown: Boolean,
    val volume: Boolean,
    val height: Int,
    val width: Int,
    val images: List<BundleFile>,
    val references: List<BundleFile>,
    private val expected: List<String>,
) {
    /** The masks that the model should draw, slice by slice; several of a slice lie one below the other. */
    fun masks(count: Int): List<BooleanArray> = expected.map { Runs.decode(it, count * height * width) }
}

/** Opens a file of the bundle by its path. */
typealias Source = (String) -> InputStream

/** Turns the bytes of a picture into a slice of its own size, red, green and blue as its channels. */
typealias Decoder = (String, ByteArray) -> Slice

/** What `edgeseg android` put into the assets; every file is checked against the manifest's hash when it is read. */
class Bundle(private val source: Source, private val decode: Decoder) {
    val model: BundleFile
    val madeWith: String
    val cases: List<BundleCase>

    init {
        try {
            val json = Json.parse(source(MANIFEST).use { it.readBytes() }.decodeToString())
            val version = json.whole("schema_version")
            if (version != SCHEMA_VERSION) throw JsonException("schema $version; this app reads $SCHEMA_VERSION")
            model = file(json.obj("model"))
            madeWith = json.text("made_with")
            cases = json.objects("cases").map { case(it) }
        } catch (error: JsonException) {
            throw ArtifactException("$MANIFEST cannot be read (${error.message}). Install the app again.", error)
        }
    }

    /** The model's bytes. */
    fun modelBytes(): ByteArray = read(model)

    /** One slice of a case, with the channels that slices of a contract have. */
    fun slice(case: BundleCase, index: Int, contract: Contract? = null): Slice =
        case.images[index].let { unstacked(decode(it.file, read(it)), contract?.given?.size ?: Slice.RGB) }

    /** A case with its pictures decoded. */
    fun volume(case: BundleCase, contract: Contract? = null): Volume = Volume(
        name = case.title,
        slices = case.images.indices.map { slice(case, it, contract) },
        reference = case.references.map { file -> decode(file.file, read(file)).let { s -> BooleanArray(s.height * s.width) { s.bytes[it * s.channels] < 0 } } }
            .ifEmpty { null },
        whole = case.volume,
    )

    /**
     * Holds the device against the masks that came with the model: its contract's golden case where it has one, else the
     * cases of the bundle that are not shown.
     */
    fun selfTest(segmenter: Segmenter): SelfTest = segmenter.selfTest() ?: run {
        val tried = cases.filter { !it.shown }
        var flips = 0
        var allowed = 0
        for (case in tried) {
            val found = flips(case, segmenter.segment(volume(case, segmenter.contract)))
            flips += found
            allowed += allowed(case, segmenter.contract)
        }
        SelfTest(flips <= allowed, flips, allowed, tried.size)
    }

    /** Pixels of a case on which masks differ from the expected ones. */
    fun flips(case: BundleCase, found: Segmentation): Int =
        case.masks(found.classes.size).mapIndexed { slice, wanted -> Runs.flips(wanted, found.of(slice).reduce { all, one -> all + one }) }.sum()

    /** How many pixels of a case may differ, by the contract of the model. */
    fun allowed(case: BundleCase, contract: Contract): Int = contract.allowedFlips(case.images.size * contract.masks.size * case.height * case.width)

    private fun read(file: BundleFile): ByteArray {
        val bytes = source(file.file).use { it.readBytes() }
        if (sha256(bytes) != file.sha256) {
            throw ArtifactException(
                "${file.file} is damaged: ${bytes.size} bytes that are not the ${file.sizeBytes} of the manifest. " +
                    "Install the app again.",
            )
        }
        return bytes
    }

    private fun file(json: JsonObject) = BundleFile(json.text("file"), json.whole("size_bytes"), json.text("sha256"))

    private fun case(json: JsonObject) = BundleCase(
        name = json.text("name"),
        title = json.text("title"),
        shown = json.flag("shown"),
        volume = json.flag("volume"),
        height = json.whole("height"),
        width = json.whole("width"),
        images = json.objects("images").map { file(it) },
        references = json.objects("references").map { file(it) },
        expected = json.texts("expected"),
    )

    companion object {
        /** A picture as slices of so many channels are kept: in colour for three, else the channels one below the other, in grey. */
        fun unstacked(picture: Slice, channels: Int): Slice {
            if (channels == Slice.RGB) return picture
            if (picture.height % channels != 0) throw ArtifactException("${picture.name} does not hold $channels channels. Install the app again.")
            val size = picture.height / channels * picture.width
            val bytes = ByteArray(size * channels) { picture.bytes[(it % channels * size + it / channels) * Slice.RGB] }
            return Slice(picture.name, picture.height / channels, picture.width, bytes, channels)
        }

        private const val MANIFEST = "manifest.json"
        private const val SCHEMA_VERSION = 2
    }
}
