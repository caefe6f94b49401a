package org.edgeseg.core

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.EOFException
import java.io.IOException
import java.nio.ByteBuffer
import java.util.zip.GZIPInputStream
import java.util.zip.GZIPOutputStream

/** One volume of a NIfTI file, seen as axial slices: `edgeseg/data/nifti.py`. */
class NiftiSequence(val name: String, val header: NiftiHeader, val grid: VoxelGrid, private val read: (Int) -> Double) {
    /** Whether values are grey levels of 8 bits as they are. */
    val isBytes: Boolean = header.type == Nifti.UINT8 && header.scale == null

    /** The values of one slice, row after row, in the file's own unit. */
    fun plane(slice: Int): DoubleArray {
        val (rows, columns) = grid.shape[1] to grid.shape[2]
        val from = stored(0, slice)
        val plane = DoubleArray(rows * columns)
        for (y in 0 until rows) {
            val row = from + stored(1, y)
            for (x in 0 until columns) plane[y * columns + x] = read(row + stored(2, x))
        }
        return plane
    }

    /** Masks as a packed file on the very voxels of this volume: its geometry, values of 8 bits, and no text of a person. */
    fun ofMasks(masks: List<ByteArray>): ByteArray {
        val voxels = ByteArray(header.dim[0] * header.dim[1] * header.dim[2])
        val columns = grid.shape[2]
        masks.forEachIndexed { slice, mask -> for (at in mask.indices) voxels[stored(0, slice) + stored(1, at / columns) + stored(2, at % columns)] = mask[at] }
        val out = ByteArrayOutputStream()
        GZIPOutputStream(out).use {
            it.write(header.ofMask(Nifti.NOTE))
            it.write(voxels)
        }
        return out.toByteArray()
    }

    private val strides = intArrayOf(1, header.dim[0], header.dim[0] * header.dim[1])

    /** What a number along slices, rows or columns adds to a voxel's place in the stored array. */
    private fun stored(place: Int, number: Int): Int = (if (grid.flips[place]) grid.shape[place] - 1 - number else number) * strides[grid.axes[place]]
}

/** Reads NIfTI files, packed or not. */
object Nifti {
    const val UINT8 = 2
    const val NOTE = "edgeseg; research use only, not a medical device"
    private const val MOST_BYTES = 1 shl 30
    private const val PART = 1 shl 16
    private val SIZES = mapOf(UINT8 to 1, 4 to 2, 8 to 4, 16 to 4, 64 to 8, 256 to 1, 512 to 2, 768 to 4)

    /** Whether a name is that of a NIfTI file. */
    fun isNifti(name: String): Boolean = name.lowercase(java.util.Locale.ROOT).run { endsWith(".nii") || endsWith(".nii.gz") }

    /** Opens a file: one sequence for three axes, one for each volume for four. */
    fun open(name: String, packed: ByteArray): List<NiftiSequence> {
        val bytes = ByteBuffer.wrap(unpacked(name, packed))
        val header = NiftiHeader(bytes, name)
        val size = SIZES[header.type] ?: throw SliceException("$name holds values of a kind (${header.type}) that are no grey values. Save it with whole numbers or decimal numbers.")
        val count = header.dim[0] * header.dim[1] * header.dim[2]
        if (header.offset < header.size || header.offset + count.toLong() * size * header.volumes > bytes.capacity()) throw SliceException("$name is cut short. Copy it again.")
        val grid = VoxelGrid.of(header.dim.copyOf(3), header.affine(), name)
        return List(header.volumes) { volume ->
            val start = header.offset + volume * count * size
            NiftiSequence(name, header, grid) { at -> value(bytes, header.type, start + at * size).let { header.scale?.run { it * first + second } ?: it } }
        }
    }

    private fun value(bytes: ByteBuffer, type: Int, at: Int): Double = when (type) {
        UINT8 -> (bytes.get(at).toInt() and 0xff).toDouble()
        4 -> bytes.getShort(at).toDouble()
        8 -> bytes.getInt(at).toDouble()
        16 -> bytes.getFloat(at).toDouble()
        64 -> bytes.getDouble(at)
        256 -> bytes.get(at).toDouble()
        512 -> (bytes.getShort(at).toInt() and 0xffff).toDouble()
        else -> (bytes.getInt(at).toLong() and 0xffffffffL).toDouble()
    }

    private fun unpacked(name: String, packed: ByteArray): ByteArray {
        if (packed.size < 2 || packed[0] != 0x1f.toByte() || packed[1] != 0x8b.toByte()) return packed
        val out = ByteArrayOutputStream(packed.size * 3)
        try {
            GZIPInputStream(ByteArrayInputStream(packed), PART).use { stream ->
                val part = ByteArray(PART)
                while (true) {
                    val count = stream.read(part)
                    if (count < 0) break
                    out.write(part, 0, count)
                    if (out.size() > MOST_BYTES) throw SliceException("$name is larger than the app can keep when it is unpacked. Take it on a computer with edgeseg.")
                }
            }
        } catch (error: EOFException) {
            throw SliceException("$name is cut short. Copy it again.", error)
        } catch (error: IOException) {
            throw SliceException("$name is damaged (${oneLine(error)}). Copy it again.", error)
        }
        return out.toByteArray()
    }
}
