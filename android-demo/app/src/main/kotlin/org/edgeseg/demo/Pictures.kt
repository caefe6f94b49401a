package org.edgeseg.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.ColorSpace
import android.net.Uri
import android.provider.DocumentsContract
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

    class Document(val name: String, val uri: Uri)

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

    /** The pictures of a folder, without those of folders below it. */
    fun inFolder(resolver: ContentResolver, tree: Uri): List<Document> {
        val children = DocumentsContract.buildChildDocumentsUriUsingTree(tree, DocumentsContract.getTreeDocumentId(tree))
        val columns = arrayOf(DocumentsContract.Document.COLUMN_DOCUMENT_ID, DocumentsContract.Document.COLUMN_DISPLAY_NAME)
        val found = ArrayList<Document>()
        resolver.query(children, columns, null, null, null)?.use { cursor ->
            while (cursor.moveToNext()) {
                found += Document(cursor.getString(1), DocumentsContract.buildDocumentUriUsingTree(tree, cursor.getString(0)))
            }
        }
        return found
    }

    /** The bytes of a document that was picked. */
    fun read(resolver: ContentResolver, document: Document, limit: Int = MAX_FILE_BYTES): ByteArray = try {
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
