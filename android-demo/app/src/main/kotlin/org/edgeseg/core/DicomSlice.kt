package org.edgeseg.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** One slice of a DICOM file whose pixels are not compressed: what its header says, and its stored values. */
class DicomSlice(bytes: ByteArray, val name: String) {
    private val found = HashMap<Int, Pair<Int, Int>>()
    private val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    val rows: Int
    val columns: Int

    /** Directions of a row and of a column, six cosines, in LPS. */
    val orientation: DoubleArray
    val position: DoubleArray

    /** Distances between rows and between columns in mm. */
    val pixelMm: DoubleArray
    val slope: Double
    val intercept: Double
    val signed: Boolean
    private val padding: IntRange?
    private val start: Int

    init {
        if (!isDicom(bytes)) throw SliceException("$name is no DICOM file, whatever its name says. Choose the files of a series.")
        try {
            read()
        } catch (error: IndexOutOfBoundsException) {
            throw SliceException("$name is cut short. Copy it again.", error)
        }
        val modality = text(MODALITY)
        if (modality != "MR") throw SliceException("$name is ${modality.ifEmpty { "of no modality" }}; the model was trained on MR. Choose an MR series.")
        if ("MOSAIC" in text(IMAGE_TYPE)) throw SliceException("$name is a Siemens mosaic, many slices in one picture. Convert it first, such as with dcm2niix.")
        val frames = text(FRAMES).toIntOrNull() ?: 1
        if (frames != 1) throw SliceException("$name holds $frames frames in one file, and the app reads one slice a file. Convert it first, such as with dcm2niix.")
        val bits = whole(BITS) ?: 0
        if (bits != WORD || whole(SAMPLES) != 1 || text(PHOTOMETRIC) != "MONOCHROME2") {
            throw SliceException("$name holds $bits bits of ${text(PHOTOMETRIC)}; 16 bits of MONOCHROME2 are taken. Export the series again, not a picture of it.")
        }
        rows = whole(ROWS) ?: 0
        columns = whole(COLUMNS) ?: 0
        orientation = numbers(ORIENTATION, 6)
        position = numbers(POSITION, 3)
        pixelMm = numbers(SPACING, 2)
        slope = if (SLOPE in found) numbers(SLOPE, 1)[0] else 1.0
        intercept = if (INTERCEPT in found) numbers(INTERCEPT, 1)[0] else 0.0
        signed = whole(REPRESENTATION) == 1
        padding = if (PADDING in found) (word(PADDING) to if (PADDING_LIMIT in found) word(PADDING_LIMIT) else word(PADDING)).let { (one, other) -> minOf(one, other)..maxOf(one, other) } else null
        val (at, size) = found[PIXELS] ?: throw SliceException("$name holds no pixels. Copy it again.")
        if (size < rows * columns * 2 || rows < 1 || columns < 1) throw SliceException("$name is cut short: its header says $rows x $columns pixels. Copy it again.")
        start = at
    }

    /** Whose series it is. */
    val series: String get() = text(SERIES)
    val patient: String get() = text(PATIENT)
    val description: String get() = text(DESCRIPTION)

    /** The stored value of a pixel, row after row. */
    fun stored(at: Int): Int = value(start + 2 * at)

    /** Whether a stored value is none of the patient. */
    fun isPadding(value: Int): Boolean = padding != null && value in padding

    val padded: Boolean get() = padding != null

    private fun value(at: Int): Int = buffer.getShort(at).toInt().let { if (signed) it else it and 0xffff }

    private fun word(tag: Int) = value(found.getValue(tag).first)

    private fun read() {
        var (at, explicit) = PREAMBLE to true
        var syntax = ""
        while (at < buffer.capacity()) {
            val tag = tag(at)
            if (tag ushr 16 != META && syntax.isEmpty()) {
                syntax = text(SYNTAX)
                if (syntax != IMPLICIT && syntax != EXPLICIT) {
                    throw SliceException("$name is compressed, or stored the other way round (transfer syntax $syntax). Unpack it first, such as with dcmdjpeg or gdcmconv --raw.")
                }
                explicit = syntax == EXPLICIT
            }
            val (content, size) = extent(at, explicit)
            if (size >= 0 && content.toLong() + size > buffer.capacity()) throw SliceException("$name is cut short. Copy it again.")
            if (size >= 0) found[tag] = content to size
            if (tag == PIXELS) return
            at = if (size >= 0) content + size else afterItems(content, explicit)
        }
    }

    private fun tag(at: Int) = (buffer.getShort(at).toInt() and 0xffff shl 16) or (buffer.getShort(at + 2).toInt() and 0xffff)

    /** Where an element's content lies and how long it is; -1 where it ends with a mark. */
    private fun extent(at: Int, explicit: Boolean): Pair<Int, Int> {
        if (!explicit || tag(at) ushr 16 == ITEMS) return at + 8 to length(at + 4)
        val kind = String(charArrayOf(buffer.get(at + 4).toInt().toChar(), buffer.get(at + 5).toInt().toChar()))
        return if (kind in LONG) at + 12 to length(at + 8) else at + 8 to (buffer.getShort(at + 6).toInt() and 0xffff)
    }

    private fun length(at: Int): Int = buffer.getInt(at).let { if (it >= -1) it else throw SliceException("$name has a header that cannot be right. Copy it again.") }

    /** The end of a sequence whose length is not told. */
    private fun afterItems(from: Int, explicit: Boolean, depth: Int = 0): Int {
        if (depth > MOST_NESTED) throw SliceException("$name has a header that cannot be right. Copy it again.")
        var at = from
        while (true) {
            val tag = tag(at)
            val (content, size) = extent(at, explicit)
            if (tag == SEQUENCE_END || tag == ITEM_END) return content
            at = if (size >= 0) Math.addExact(content, size) else afterItems(content, explicit, depth + 1)
        }
    }

    private fun text(tag: Int): String = found[tag]?.let { (at, size) -> String(ByteArray(size) { buffer.get(at + it) }, Charsets.ISO_8859_1).trim { it <= ' ' } } ?: ""

    private fun whole(tag: Int): Int? = found[tag]?.let { (at, _) -> buffer.getShort(at).toInt() and 0xffff }

    private fun numbers(tag: Int, count: Int): DoubleArray {
        val given = text(tag).split('\\').map { it.trim().toDoubleOrNull() }
        if (given.size != count || given.any { it == null || !it.isFinite() }) throw SliceException("$name does not say where its slice lies or what its values mean (element %08x). Export the series again.".format(tag))
        return DoubleArray(count) { given[it]!! }
    }

    companion object {
        private const val PREAMBLE = 132
        private const val META = 0x0002
        private const val ITEMS = 0xfffe
        private const val WORD = 16
        private const val MOST_NESTED = 32
        private const val SYNTAX = 0x00020010
        private const val IMAGE_TYPE = 0x00080008
        private const val MODALITY = 0x00080060
        private const val DESCRIPTION = 0x0008103e
        private const val PATIENT = 0x00100020
        private const val SERIES = 0x0020000e
        private const val POSITION = 0x00200032
        private const val ORIENTATION = 0x00200037
        private const val SAMPLES = 0x00280002
        private const val PHOTOMETRIC = 0x00280004
        private const val FRAMES = 0x00280008
        private const val ROWS = 0x00280010
        private const val COLUMNS = 0x00280011
        private const val SPACING = 0x00280030
        private const val BITS = 0x00280100
        private const val REPRESENTATION = 0x00280103
        private const val PADDING = 0x00280120
        private const val PADDING_LIMIT = 0x00280121
        private const val INTERCEPT = 0x00281052
        private const val SLOPE = 0x00281053
        private const val PIXELS = 0x7fe00010
        private const val ITEM_END = 0xfffee00d.toInt()
        private const val SEQUENCE_END = 0xfffee0dd.toInt()
        private const val IMPLICIT = "1.2.840.10008.1.2"
        private const val EXPLICIT = "1.2.840.10008.1.2.1"
        private val LONG = setOf("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")

        /** Whether bytes are those of a DICOM file. */
        fun isDicom(bytes: ByteArray): Boolean = bytes.size > PREAMBLE && String(bytes, PREAMBLE - 4, 4, Charsets.ISO_8859_1) == "DICM"
    }
}
