package org.edgeseg.demo

import org.edgeseg.core.SliceException
import org.edgeseg.core.oneLine
import org.edgeseg.demo.Pictures.Document
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.util.Locale
import java.util.zip.ZipInputStream

/** The files of a zip, as archives and viewers export an examination. */
object Zipped {
    private const val MOST_FILES = 10_000
    private const val BLOCK = 1 shl 16

    fun isZip(name: String): Boolean = name.lowercase(Locale.ROOT).endsWith(".zip")

    /** What lies in a zip, by names without folders; at most [limit] bytes in all. */
    fun documents(zip: Document, bytes: ByteArray, limit: Int): List<Document> {
        val found = ArrayList<Document>()
        var room = limit
        try {
            ZipInputStream(bytes.inputStream()).use { stream ->
                while (true) {
                    val entry = stream.nextEntry ?: break
                    val name = entry.name.substringAfterLast('/')
                    if (entry.isDirectory || name.startsWith('.')) continue
                    val content = read(stream, room) ?: throw SliceException("${zip.name} holds more than ${limit shr 20} MB. Choose a zip of the series that the model needs.")
                    room -= content.size
                    found += Document(name, zip.uri, content)
                    if (found.size > MOST_FILES) throw SliceException("${zip.name} holds more than $MOST_FILES files. Choose the zip of one examination.")
                }
            }
        } catch (error: IOException) {
            throw SliceException("${zip.name} cannot be unpacked (${oneLine(error)}). Copy it again, or unpack it and choose its folder.", error)
        }
        if (found.isEmpty()) throw SliceException("${zip.name} is no zip with files in it. Copy it again.")
        val pictures = found.map { it.name }.filter(Pictures::isPicture)
        if (pictures.size > pictures.distinct().size) throw SliceException("${zip.name} holds pictures of several folders. Choose a zip of one patient.")
        return found
    }

    /** The rest of an entry; null where it has more bytes than there is room for. */
    private fun read(stream: ZipInputStream, room: Int): ByteArray? {
        val out = ByteArrayOutputStream()
        val block = ByteArray(BLOCK)
        while (true) {
            val count = stream.read(block)
            if (count < 0) return out.toByteArray()
            if (out.size() + count > room) return null
            out.write(block, 0, count)
        }
    }
}
