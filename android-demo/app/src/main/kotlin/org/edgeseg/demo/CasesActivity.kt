package org.edgeseg.demo

import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import android.provider.OpenableColumns
import android.view.View
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.BundleCase
import org.edgeseg.core.Contract
import org.edgeseg.core.Names
import org.edgeseg.core.Slice
import org.edgeseg.core.Volume
import org.edgeseg.core.Window

/** The list of cases: those that travel with the app, and those that were opened. */
class CasesActivity : Screen() {
    private var problem: String? = null
    private var reading = false
    private var shown: List<String>? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        open(R.layout.cases, getString(R.string.app_name), back = false)
        problem = state?.getString(PROBLEM)
        part<View>(R.id.open_images).setOnClickListener {
            val pick = Intent(Intent.ACTION_OPEN_DOCUMENT).setType("*/*").putExtra(Intent.EXTRA_MIME_TYPES, TYPES).addCategory(Intent.CATEGORY_OPENABLE)
            startActivityForResult(pick.putExtra(Intent.EXTRA_ALLOW_MULTIPLE, true), PICK_IMAGES)
        }
        part<View>(R.id.open_folder).setOnClickListener { startActivityForResult(Intent(Intent.ACTION_OPEN_DOCUMENT_TREE), PICK_FOLDER) }
        part<View>(R.id.benchmark).setOnClickListener { startActivity(Intent(this, BenchmarkActivity::class.java)) }
        part<View>(R.id.about).setOnClickListener { startActivity(Intent(this, AboutActivity::class.java)) }
        show()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putString(PROBLEM, problem)
    }

    @Deprecated("The framework without AndroidX has no other way.")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (result != RESULT_OK || data == null) return
        val folder = if (request == PICK_FOLDER) data.data ?: return else null
        val picked = data.clipData?.let { clip -> List(clip.itemCount) { clip.getItemAt(it).uri } } ?: listOfNotNull(data.data)
        read(folder?.lastPathSegment?.substringAfterLast('/')?.substringAfterLast(':')) { title ->
            val documents = if (folder != null) Pictures.inFolder(contentResolver, folder) else picked.map { Pictures.Document(nameOf(it), it) }
            Opening(contentResolver, contract()).volume(title ?: Names.stem(documents.first().name).removeSuffix(".nii"), documents, whole = folder != null)
        }
    }

    override fun show() {
        val state = app.model
        part<TextView>(R.id.status).text = when {
            reading -> getString(R.string.reading)
            state is ModelState.Ready -> status(state)
            state is ModelState.Loading -> getString(R.string.engine_loading)
            else -> ""
        }
        showError((state as? ModelState.Failed)?.message ?: problem)
        for (id in listOf(R.id.open_images, R.id.open_folder, R.id.benchmark, R.id.about)) part<View>(id).isEnabled = state is ModelState.Ready
        val names = app.studies.keys.toList() + listOf(state.toString())
        if (state is ModelState.Ready && names != shown) {
            shown = names
            showList(state)
        }
    }

    private fun status(state: ModelState.Ready): String {
        val engine = state.segmenter.engine
        val test = state.selfTest ?: return getString(R.string.engine_ready, engine.contract.variant, engine.runtime)
        return getString(R.string.engine_self_test, engine.contract.variant, engine.runtime, test.flips, test.allowedFlips)
    }

    private fun showList(state: ModelState.Ready) {
        val list = part<LinearLayout>(R.id.list)
        list.removeAllViews()
        val own = app.studies.values.filter { it.own }
        if (own.isNotEmpty()) {
            heading(list, R.string.cases_own)
            for (study in own) {
                val row = row(list, study.volume.name, R.string.case_own, study.volume.slices.size) { view(study.id) }
                thumbnail(row, study.volume)
            }
        }
        heading(list, R.string.cases_bundled)
        for (case in state.bundle.cases.filter { it.shown }) {
            val row = row(list, case.title, R.string.case_phantom, case.images.size) { openBundled(state, case) }
            app.inBackground({ state.bundle.slice(case, case.images.size / 2, state.segmenter.contract) }, { row.part<ImageView>(R.id.thumbnail).setImageBitmap(picture(it)) }, {})
        }
    }

    private fun openBundled(state: ModelState.Ready, case: BundleCase) {
        if (app.studies.containsKey(case.name)) return view(case.name)
        reading = true
        show()
        app.inBackground({ state.bundle.volume(case, state.segmenter.contract) }, { opened(Study(case.name, it, own = false, state.segmenter.contract)) }, { failed(it) })
    }

    private fun read(title: String?, work: (String?) -> Volume) {
        problem = null
        reading = true
        show()
        app.inBackground({ work(title) }, { opened(Study("own ${app.studies.size} ${it.name}", it, own = true, contract())) }, { failed(it) })
    }

    private fun opened(study: Study) {
        reading = false
        problem = null
        app.start(study)
        view(study.id)
    }

    private fun failed(message: String) {
        reading = false
        problem = message
        show()
    }

    private fun view(id: String) = startActivity(Intent(this, ViewerActivity::class.java).putExtra(ViewerActivity.STUDY, id))

    private fun nameOf(uri: Uri): String {
        contentResolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use { cursor ->
            if (cursor.moveToFirst()) cursor.getString(0)?.let { return it }
        }
        return uri.lastPathSegment ?: uri.toString()
    }

    private fun heading(list: LinearLayout, text: Int) {
        val heading = TextView(this, null, 0, R.style.Heading)
        heading.setText(text)
        heading.setPadding(0, dp(8), 0, dp(8))
        list.addView(heading)
    }

    private fun row(list: LinearLayout, name: String, about: Int, slices: Int, onClick: () -> Unit): View {
        val row = layoutInflater.inflate(R.layout.case_row, list, false)
        row.part<TextView>(R.id.name).text = name
        row.part<TextView>(R.id.about_case).text = getString(about, resources.getQuantityString(R.plurals.slices, slices, slices))
        row.contentDescription = getString(R.string.case_open, name)
        row.setOnClickListener { onClick() }
        list.addView(row)
        return row
    }

    private fun thumbnail(row: View, volume: Volume) = row.part<ImageView>(R.id.thumbnail).setImageBitmap(picture(volume.slices[volume.slices.size / 2]))

    private fun picture(slice: Slice): Bitmap = contract().run { given.indexOf(reference) }.let { Draw.grey(slice, it, Window.automatic(listOf(slice), it)) }

    private fun contract(): Contract = (app.model as ModelState.Ready).segmenter.contract

    private companion object {
        /** Pictures, DICOM files, zips, and what NIfTI files are taken for, which have no type of their own. */
        val TYPES = arrayOf("image/*", "application/dicom", "application/zip", "application/octet-stream", "application/gzip", "application/x-gzip")
        const val PICK_IMAGES = 1
        const val PICK_FOLDER = 2
        const val PROBLEM = "problem"
    }
}
