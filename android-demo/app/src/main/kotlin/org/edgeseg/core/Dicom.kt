package org.edgeseg.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.sqrt

/**
 * DICOM series of uncompressed MR as volumes: each becomes a NIfTI file in memory, the same values on the same voxels,
 * so that all else of the app takes it as one (`edgeseg/data/dicom`, its files of one slice).
 */
object Dicom {
    private const val DIRECTION = 1e-3
    private const val SAME_SHARE = 0.1
    private const val UNEVEN_SHARE = 0.05
    private const val HEADER = 544
    private const val PROBES = 12
    private const val MOST_BYTES = 1L shl 29
    private val ENDINGS = setOf("dcm", "dicom", "ima")

    /** Whether a name may be that of a DICOM file: by its ending, or because it has none but figures, as scanners write them. */
    fun mayBeDicom(name: String): Boolean = name.substringAfterLast('.', "").lowercase(java.util.Locale.ROOT).let { it in ENDINGS || it.all(Char::isDigit) }

    /** Turns files of one patient into NIfTI files, one for each series, named by what the series is called. */
    fun asNifti(files: List<Pair<String, ByteArray>>, contract: Contract): List<Pair<String, ByteArray>> {
        val slices = files.map { (name, bytes) -> DicomSlice(bytes, name) }
        val patients = slices.map { it.patient }.distinct()
        if (patients.size > 1) throw SliceException("The files are of ${patients.size} patients. Choose those of one.")
        val series = slices.groupBy { it.series }.values.map { one -> named(one.first()) to one }
        val known = series.filter { Recognised.channel(it.first, contract.given) != null }
        return known.ifEmpty { series }.map { (name, one) -> name to nifti(name, one) }
    }

    private fun named(slice: DicomSlice) = slice.description.replace('/', ' ').ifEmpty { "series without a name" }

    private fun nifti(name: String, given: List<DicomSlice>): ByteArray {
        val first = given.first()
        requireAlike(name, given)
        val (row, column) = first.orientation.copyOfRange(0, 3) to first.orientation.copyOfRange(3, 6)
        val normal = DoubleArray(3) { row[(it + 1) % 3] * column[(it + 2) % 3] - row[(it + 2) % 3] * column[(it + 1) % 3] }
        val sign = if (normal[(0..2).maxBy { abs(normal[it]) }] < 0) -1.0 else 1.0
        val place = { slice: DicomSlice -> sign * (0..2).sumOf { slice.position[it] * normal[it] } }
        val slices = given.sortedBy(place)
        requireEven(name, slices, slices.map(place))
        val step = DoubleArray(3) { (slices.last().position[it] - slices.first().position[it]) / (slices.size - 1) }
        val origin = slices.first().position
        val lps = Array(3) { doubleArrayOf(row[it] * first.pixelMm[1], column[it] * first.pixelMm[0], step[it], origin[it]) }
        return file(slices, lps)
    }

    private fun requireAlike(name: String, slices: List<DicomSlice>) {
        val first = slices.first()
        if (slices.size < 2) throw SliceException("$name has one slice alone, which is no volume. Choose all files of the series.")
        for (one in slices) {
            if (one.rows != first.rows || one.columns != first.columns) throw SliceException("$name mixes slices of ${first.rows} x ${first.columns} and ${one.rows} x ${one.columns}. Choose a series of one size.")
            if (one.orientation.indices.any { abs(one.orientation[it] - first.orientation[it]) > DIRECTION }) throw SliceException("$name mixes orientations, as a localiser does. Choose a series of parallel slices.")
            if (one.pixelMm.indices.any { abs(one.pixelMm[it] - first.pixelMm[it]) > DIRECTION * first.pixelMm[it] } || one.signed != first.signed) throw SliceException("$name mixes pixel spacings or kinds of values. Export it again.")
        }
    }

    private fun requireEven(name: String, slices: List<DicomSlice>, places: List<Double>) {
        val gaps = places.zipWithNext { one, next -> next - one }
        val usual = gaps.sorted()[gaps.size / 2]
        val same = gaps.indices.minBy { gaps[it] }
        if (gaps[same] <= SAME_SHARE * maxOf(usual, DIRECTION)) {
            throw SliceException("$name has two slices at one place (${slices[same].name} and ${slices[same + 1].name}): a file was copied twice, or it holds several echoes or times. Leave one of each.")
        }
        val wide = gaps.indices.maxBy { gaps[it] }
        if (gaps[wide] - gaps[same] > UNEVEN_SHARE * usual) {
            throw SliceException("$name: its slices do not lie evenly; between ${slices[wide].name} and ${slices[wide + 1].name} there are %.1f mm, and %.1f are usual. Copy what is missing, or take it on a computer with edgeseg.".format(java.util.Locale.ROOT, gaps[wide], usual))
        }
    }

    /** A NIfTI-2 file, whose scale and places are doubles: stored values where all slices mean the same by them, else doubles. */
    private fun file(slices: List<DicomSlice>, lps: Affine): ByteArray {
        val first = slices.first()
        val plain = slices.all { it.slope == first.slope && it.intercept == first.intercept && !it.padded }
        val pixels = first.rows * first.columns
        val size = HEADER + pixels.toLong() * slices.size * if (plain) Short.SIZE_BYTES else Double.SIZE_BYTES
        if (size > MOST_BYTES) throw SliceException("${first.name} and its series are larger than the app can keep. Take it on a computer with edgeseg.")
        val out = ByteBuffer.allocate(size.toInt()).order(ByteOrder.LITTLE_ENDIAN)
        out.putInt(0, 540)
        "n+2\u0000\r\n\u001a\n".forEachIndexed { at, one -> out.put(4 + at, one.code.toByte()) }
        out.putShort(12, if (!plain) 64 else if (first.signed) 4 else 512)
        out.putShort(14, if (plain) 16 else 64)
        listOf(3, first.columns, first.rows, slices.size, 1, 1, 1, 1).forEachIndexed { at, one -> out.putLong(16 + 8 * at, one.toLong()) }
        for (k in 0..2) out.putDouble(112 + 8 * k, sqrt(lps.sumOf { it[k] * it[k] }))
        out.putLong(168, HEADER.toLong())
        out.putDouble(176, if (plain) first.slope else 1.0)
        out.putDouble(184, if (plain) first.intercept else 0.0)
        out.putInt(348, 1)
        for (line in 0..2) for (k in 0..3) out.putDouble(400 + 8 * (4 * line + k), if (line < 2) -lps[line][k] else lps[line][k])
        out.putInt(500, 2)
        out.position(HEADER)
        val darkest = if (plain) 0.0 else darkest(slices)
        for (slice in slices) for (at in 0 until pixels) {
            val stored = slice.stored(at)
            if (plain) out.putShort(stored.toShort()) else out.putDouble(if (slice.isPadding(stored)) darkest else stored * slice.slope + slice.intercept)
        }
        return out.array()
    }

    /** The darkest value that is no padding, in twelve slices. */
    private fun darkest(slices: List<DicomSlice>): Double {
        val chosen = (0 until PROBES).map { ((slices.size - 1) * it / (PROBES - 1.0)).toInt() }.distinct().map(slices::get)
        return chosen.mapNotNull { slice ->
            (0 until slice.rows * slice.columns).asSequence().map(slice::stored).filterNot(slice::isPadding).map { it * slice.slope + slice.intercept }.minOrNull()
        }.minOrNull() ?: 0.0
    }
}
