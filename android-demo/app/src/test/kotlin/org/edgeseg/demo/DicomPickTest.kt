package org.edgeseg.demo

import android.app.Activity
import android.content.ClipData
import android.content.ContentProvider
import android.content.ContentValues
import android.content.Intent
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.provider.DocumentsContract
import android.provider.DocumentsContract.Document
import android.view.View
import android.widget.TextView
import org.edgeseg.core.DicomFile
import org.edgeseg.core.Spacing
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.ByteArrayOutputStream
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

private const val SLICES = 3

/** From an examination of three series that was picked, as a folder, a zip or files, to a study that is segmented; and what is refused. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApp::class, qualifiers = "w1280dp-h800dp-land-notnight-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class DicomPickTest {
    private val list: Activity by lazy {
        settle()
        Robolectric.buildActivity(CasesActivity::class.java).setup().get().also { settle() }
    }

    private val error get() = list.requireViewById<TextView>(R.id.error).run { if (visibility == View.VISIBLE) text.toString() else "" }

    /** A phantom as a scanner stores it: a folder for each series, file names without an ending, the same in each. */
    private fun examination(names: List<String> = listOf("AX T1 PRE", "AX FLAIR", "AX T1 POST GD")): Map<String, ByteArray> {
        settle()
        val bundle = (app.model as ModelState.Ready).bundle
        val volume = bundle.volume(bundle.cases.first { it.shown })
        val from = (volume.slices.size - SLICES) / 2
        val lps = arrayOf(doubleArrayOf(0.9, 0.0, 0.0, -115.0), doubleArrayOf(0.0, 0.9, 0.0, -115.0), doubleArrayOf(0.0, 0.0, 5.0, 20.0))
        return names.flatMapIndexed { channel, name ->
            List(SLICES) { at ->
                val slice = volume.slices[from + at]
                val stored = ShortArray(slice.height * slice.width) { ((slice.bytes[it * 3 + channel].toInt() and 0xff) * 4 + 7).toShort() }
                "study/series$channel/${1000 + at}" to DicomFile(slice.height, slice.width, stored, lps, at, name, "1.2.$channel").written()
            }
        }.toMap()
    }

    private fun pickFolder(files: Map<String, ByteArray>) {
        Robolectric.setupContentProvider(Tree::class.java, "tree.test").paths = files.keys
        val root = DocumentsContract.buildTreeDocumentUri("tree.test", "root")
        for ((path, bytes) in files) supply(DocumentsContract.buildDocumentUriUsingTree(root, "root/$path"), bytes)
        answer(R.id.open_folder, Intent().setData(root))
    }

    private fun pickFiles(files: Map<String, ByteArray>) {
        val items = files.map { (name, bytes) -> ClipData.Item(Uri.Builder().scheme("content").authority("files.test").appendPath(name).build().also { supply(it, bytes) }) }
        answer(R.id.open_images, Intent().apply { clipData = ClipData("files", arrayOf("application/dicom"), items.first()).apply { items.drop(1).forEach(::addItem) } })
    }

    private fun supply(uri: Uri, bytes: ByteArray) = shadowOf(list.contentResolver).registerInputStreamSupplier(uri) { bytes.inputStream() }

    private fun answer(button: Int, data: Intent) {
        list.requireViewById<View>(button).performClick()
        shadowOf(list).receiveResult(shadowOf(list).nextStartedActivityForResult.intent, Activity.RESULT_OK, data)
        settle()
    }

    private fun zip(files: Map<String, ByteArray>): ByteArray = ByteArrayOutputStream().also { out ->
        ZipOutputStream(out).use { zip ->
            for ((path, bytes) in files) {
                zip.putNextEntry(ZipEntry(path))
                zip.write(bytes)
            }
        }
    }.toByteArray()

    /** The study that was opened last, segmented, its viewer begun. */
    private fun study(): Study {
        assertEquals("", error)
        val study = app.studies.values.last()
        assertTrue(study.run is RunState.Done)
        assertEquals(ViewerActivity::class.java.name, shadowOf(list).nextStartedActivity.component!!.className)
        assertEquals(SLICES, study.volume.slices.size)
        assertTrue(study.volume.whole)
        assertEquals(Spacing(5.0, 0.9, 0.9), study.spacing)
        assertTrue("${study.shown!!.tumourPixels}", study.shown!!.tumourPixels > 0)
        return study
    }

    @Test
    fun `three series are one study, from a folder of folders, a zip and files`() {
        val files = examination()
        pickFolder(files)
        val first = study()
        pickFiles(mapOf("export.zip" to zip(files)))
        assertEquals("export", app.studies.values.last().volume.name)
        val zipped = study()
        pickFiles(files.mapKeys { it.key.replace('/', '-') + ".dcm" })
        val picked = study()
        for (other in listOf(zipped, picked)) {
            for ((one, two) in first.volume.slices.zip(other.volume.slices)) assertArrayEquals(one.bytes, two.bytes)
            assertEquals(first.shown!!.tumourPixels, other.shown!!.tumourPixels)
        }
    }

    @Test
    fun `series of other channels, damaged files and other files are told, and the app goes on`() {
        val files = examination()
        pickFolder(examination(listOf("AX T2", "AX DWI", "AX ADC")))
        assertTrue(error, "none is 'pre' by its name" in error)
        val (path, bytes) = files.entries.first()
        pickFolder(files + (path to bytes.copyOf(bytes.size - 100)))
        assertTrue(error, "1000 is cut short" in error)
        pickFiles(mapOf("a.dcm" to "hello".toByteArray()))
        assertTrue(error, "a.dcm is no DICOM file" in error)
        pickFolder(mapOf("below/notes.txt" to "hello".toByteArray()))
        assertTrue(error, "no slices" in error)
        pickFiles(mapOf("export.zip" to zip(files).copyOf(200_000)))
        assertTrue(error, "export.zip cannot be unpacked" in error)
        pickFiles(mapOf("export.zip" to "hello".toByteArray()))
        assertTrue(error, "no zip with files" in error)
        pickFiles(mapOf("export.zip" to zip(mapOf("a/1.png" to bytes, "b/1.png" to bytes))))
        assertTrue(error, "several folders" in error)
        assertEquals(0, app.studies.size)
        pickFolder(files + ("study/report.txt" to "hello".toByteArray()))
        study()
    }
}

/** Folders in folders that the system's picker could give; a document's number is its path below the root. */
class Tree : ContentProvider() {
    var paths: Set<String> = emptySet()

    override fun onCreate() = true

    override fun query(uri: Uri, columns: Array<String>?, selection: String?, arguments: Array<String>?, order: String?): Cursor {
        val folder = DocumentsContract.getDocumentId(uri)
        val below = paths.map { "root/$it" }.filter { it.startsWith("$folder/") }
        return MatrixCursor(columns).apply {
            for (name in below.map { it.removePrefix("$folder/").substringBefore('/') }.distinct()) {
                val kind = Document.MIME_TYPE_DIR.takeIf { "$folder/$name" !in below }
                addRow(columnNames.map { mapOf(Document.COLUMN_DOCUMENT_ID to "$folder/$name", Document.COLUMN_DISPLAY_NAME to name, Document.COLUMN_MIME_TYPE to kind)[it] })
            }
        }
    }

    override fun getType(uri: Uri): String? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?) = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?) = 0
}
