package org.edgeseg.demo

import android.content.ContentResolver
import org.edgeseg.core.ChannelFiles
import org.edgeseg.core.Contract
import org.edgeseg.core.Dicom
import org.edgeseg.core.DicomSlice
import org.edgeseg.core.Names
import org.edgeseg.core.Nifti
import org.edgeseg.core.NiftiVolume
import org.edgeseg.core.Slice
import org.edgeseg.core.SliceException
import org.edgeseg.core.Volume
import org.edgeseg.demo.Pictures.Document

/** Makes a case for a model out of the documents that were picked. */
class Opening(private val resolver: ContentResolver, private val contract: Contract) {
    private val files = ChannelFiles(contract.given)

    /** Reads a case; [whole] where a folder was picked, whose slices are then a volume. What lies in a zip is as in a folder. */
    fun volume(title: String, picked: List<Document>, whole: Boolean): Volume {
        val (zips, others) = picked.partition { Zipped.isZip(it.name) }
        return opened(title, others + zips.flatMap { Zipped.documents(it, Pictures.read(resolver, it, MAX_SCAN_BYTES), MAX_SCAN_BYTES) }, whole || zips.isNotEmpty())
    }

    private fun opened(title: String, documents: List<Document>, whole: Boolean): Volume {
        val scans = documents.filter { Nifti.isNifti(it.name) }.sortedWith { one, other -> Names.natural.compare(one.name, other.name) }
        if (scans.isNotEmpty()) return NiftiVolume(contract).of(title, scans.map { it.name to Pictures.read(resolver, it, MAX_SCAN_BYTES) })
        val series = dicom(documents)
        if (series.isNotEmpty()) return NiftiVolume(contract).of(title, Dicom.asNifti(series, contract))
        val pictures = documents.filter { Pictures.isPicture(it.name) }.sortedWith { one, other -> Names.natural.compare(one.name, other.name) }
        val (masks, images) = pictures.partition { Names.isMask(it.name) }
        if (images.isEmpty()) {
            throw SliceException("There are no slices among ${documents.size} files; slices are .png, .jpg or .tif, masks end in _mask, and volumes are .nii, .nii.gz or DICOM series, as files or in a .zip.")
        }
        val byName = images.associateBy { it.name }
        val groups = files.group(images.map { it.name })
        if (whole) Names.requireNoGap(groups.map { it.name })
        val slices = groups.map { group -> files.slice(group, group.files.map { decode(byName.getValue(it)) }) }
        requireOneSize(slices, whole)
        return Volume(title, slices, reference(groups.map { it.name }, masks, slices), whole)
    }

    /** The DICOM files among documents; what only might be one by its name, and is none, is left out. */
    private fun dicom(documents: List<Document>): List<Pair<String, ByteArray>> {
        var room = MAX_SCAN_BYTES.toLong()
        return documents.filter { Dicom.mayBeDicom(it.name) }.mapNotNull { document ->
            val bytes = Pictures.read(resolver, document)
            room -= bytes.size
            if (room < 0) throw SliceException("The DICOM files have more than ${MAX_SCAN_BYTES shr 20} MB together. Choose the series that the model needs, ${contract.given.joinToString()}.")
            (document.name to bytes).takeIf { DicomSlice.isDicom(bytes) || document.name.endsWith(".dcm", ignoreCase = true) }
        }
    }

    private fun decode(document: Document): Slice = Pictures.decode(document.name, Pictures.read(resolver, document))

    private fun requireOneSize(slices: List<Slice>, whole: Boolean) {
        val first = slices.first()
        val other = slices.firstOrNull { it.height != first.height || it.width != first.width } ?: return
        if (whole) {
            throw SliceException(
                "${other.name} has ${other.width} x ${other.height} pixels and ${first.name} has ${first.width} x ${first.height}. " +
                    "The slices of a volume have one size; take out the one that does not belong.",
            )
        }
    }

    /** Masks beside the slices; for a model of several classes there are none, since a picture holds one mask. */
    private fun reference(names: List<String>, masks: List<Document>, slices: List<Slice>): List<BooleanArray>? {
        val named = masks.associateBy { Names.sliceOf(it.name) }
        if (contract.masks.size > 1 || names.any { Names.stem(it) !in named }) return null
        return names.zip(slices) { name, slice ->
            val mask = decode(named.getValue(Names.stem(name)))
            if (mask.height != slice.height || mask.width != slice.width) {
                throw SliceException(
                    "${mask.name} has ${mask.width} x ${mask.height} pixels and its slice ${slice.width} x ${slice.height}; they must be equal.",
                )
            }
            BooleanArray(mask.height * mask.width) { mask.bytes[it * mask.channels] < 0 }
        }
    }

    private companion object {
        const val MAX_SCAN_BYTES = 512 shl 20
    }
}
