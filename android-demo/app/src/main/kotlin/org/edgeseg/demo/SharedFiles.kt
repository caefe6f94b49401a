package org.edgeseg.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/** Gives the files that the user shares to the app that was chosen for them, and nothing else to nobody else. */
class SharedFiles : ContentProvider() {
    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw FileNotFoundException("$uri is for reading alone")
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun query(uri: Uri, columns: Array<String>?, selection: String?, arguments: Array<String>?, order: String?): Cursor {
        val file = file(uri)
        val asked = columns ?: arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)
        return MatrixCursor(asked).apply {
            addRow(asked.map { if (it == OpenableColumns.DISPLAY_NAME) file.name else if (it == OpenableColumns.SIZE) file.length() else null })
        }
    }

    override fun getType(uri: Uri): String = type(uri.lastPathSegment.orEmpty())

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?) = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?) = 0

    private fun file(uri: Uri): File {
        val name = uri.lastPathSegment.orEmpty()
        val file = File(folder(requireNotNull(context)), name)
        if (name != file.name || !file.isFile) throw FileNotFoundException("$uri is not shared")
        return file
    }

    companion object {
        private const val FOLDER = "shared"

        /** Keeps a file for sharing in place of those that were shared before, and gives its address. */
        fun put(context: Context, name: String, bytes: ByteArray): Uri {
            val folder = folder(context)
            folder.deleteRecursively()
            folder.mkdirs()
            val plain = name.replace(Regex("[^A-Za-z0-9._-]+"), "_")
            File(folder, plain).writeBytes(bytes)
            return Uri.Builder().scheme("content").authority("${context.packageName}.shared").appendPath(plain).build()
        }

        fun type(name: String): String = when {
            name.endsWith(".zip") -> "application/zip"
            name.endsWith(".gz") -> "application/gzip"
            else -> "application/octet-stream"
        }

        private fun folder(context: Context) = File(context.cacheDir, FOLDER)
    }
}
