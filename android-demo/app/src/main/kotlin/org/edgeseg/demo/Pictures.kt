package org.edgeseg.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.ColorSpace
import android.net.Uri
import android.provider.DocumentsContract
import org.edgeseg.core.Dicom
import org.edgeseg.core.Nifti
import org.edgeseg.core.Slice
import org.edgeseg.core.SliceException
import org.edgeseg.core.Tiff
import org.edgeseg.core.oneLine
import java.io.IOException

/** From files to pictures: what the system's picker gives, and the pictures of the bundle. */
object Pictures {
    private val ENDINGS = setOf("tif", "tiff", "png", "jpg", "jpeg")

    /** Whether a name is that of a picture. */
    fun isPicture(name: String): Boolean = name.substringAfterLast('.').lowercase() in ENDINGS

    private const val MAX_FILE_BYTES = 64 shl 20
    private const val MAX_SIDE = 2048

    /** A folder with more files below it than an examination has. */
    private const val MOST_FILES = 10_000
    private const val MOST_DEPTH = 4

    /** A file that was picked, or, with [bytes], one that lay in a zip. */
    class Document(val name: String, val uri: Uri, val bytes: ByteArray? = null)

    /** Decodes PNG, JPEG and TIFF into bytes as they are stored: no scaling, no colour conversion. */
    fun decode(name: String, bytes: ByteArray): Slice {
        if (Tiff.isTiff(bytes)) return Tiff.decode(name, bytes)
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeByteArray(bytes, 0, bytes.size, bounds)
        if (maxOf(bounds.outWidth, bounds.outHeight) > MAX_SIDE) {
            throw SliceException("$name has ${bounds.outWidth} x ${bounds.outHeight} pixels; a slice has at most $MAX_SIDE on a side.")
        }
        val options = BitmapFactory.Options().apply {
            inScaled = false
            inPremultiplied = false
            inPreferredConfig = Bitmap.Config.ARGB_8888
            inPreferredColorSpace = ColorSpace.get(ColorSpace.Named.SRGB)
        }
        val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options)
            ?: throw SliceException("$name is no picture that can be read (${bytes.size} bytes). Choose PNG, JPEG or TIFF.")
        return slice(name, bitmap)
    }

    /** The files of a folder; where none of them can be opened, the DICOM files of folders below it, one for each series. */
    fun inFolder(resolver: ContentResolver, tree: Uri): List<Document> {
        var (files, folders) = children(resolver, tree, DocumentsContract.getTreeDocumentId(tree))
        if (files.any { canBeOpened(it.name) }) return files
        val found = ArrayList(files)
        repeat(MOST_DEPTH) {
            val below = folders.map { children(resolver, tree, it) }
            found += below.flatMap { it.first }.filter { Dicom.mayBeDicom(it.name) }
            if (found.size > MOST_FILES) throw SliceException("There are more than $MOST_FILES files in the folder and below it. Choose the folder of one examination.")
            folders = below.flatMap { it.second }
        }
        return found
    }

    private fun canBeOpened(name: String) = isPicture(name) || Nifti.isNifti(name) || Zipped.isZip(name) || Dicom.mayBeDicom(name)

    /** The files of a folder, and the folders in it by their numbers. */
    private fun children(resolver: ContentResolver, tree: Uri, folder: String): Pair<List<Document>, List<String>> {
        val columns = arrayOf(DocumentsContract.Document.COLUMN_DOCUMENT_ID, DocumentsContract.Document.COLUMN_DISPLAY_NAME, DocumentsContract.Document.COLUMN_MIME_TYPE)
        val (files, folders) = ArrayList<Document>() to ArrayList<String>()
        resolver.query(DocumentsContract.buildChildDocumentsUriUsingTree(tree, folder), columns, null, null, null)?.use { cursor ->
            while (cursor.moveToNext()) {
                if (cursor.getString(2) == DocumentsContract.Document.MIME_TYPE_DIR) folders += cursor.getString(0)
                else files += Document(cursor.getString(1), DocumentsContract.buildDocumentUriUsingTree(tree, cursor.getString(0)))
            }
        }
        return files to folders
    }

    /** The bytes of a document that was picked. */
    fun read(resolver: ContentResolver, document: Document, limit: Int = MAX_FILE_BYTES): ByteArray = try {
        document.bytes?.let { return it }
        val stream = resolver.openInputStream(document.uri) ?: throw IOException("it is gone")
        val bytes = stream.use { it.readBytes() }
        if (bytes.size > limit) throw SliceException("${document.name} has ${bytes.size} bytes; that is no slice.")
        bytes
    } catch (error: IOException) {
        throw SliceException("${document.name} cannot be read (${oneLine(error)}). Choose it again.", error)
    } catch (error: SecurityException) {
        throw SliceException("${document.name} may not be read (${oneLine(error)}). Choose it again.", error)
    }

    private fun slice(name: String, bitmap: Bitmap): Slice {
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        val bytes = ByteArray(pixels.size * 3)
        for (at in pixels.indices) {
            bytes[at * 3] = (pixels[at] shr 16).toByte()
            bytes[at * 3 + 1] = (pixels[at] shr 8).toByte()
            bytes[at * 3 + 2] = pixels[at].toByte()
        }
        val (height, width) = bitmap.height to bitmap.width
        bitmap.recycle()
        return Slice(name, height, width, bytes)
    }
}
