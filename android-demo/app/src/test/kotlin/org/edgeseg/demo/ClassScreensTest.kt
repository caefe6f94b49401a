package org.edgeseg.demo

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Nifti
import org.edgeseg.core.Plane
import org.edgeseg.core.Spacing
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File

/** The app with networks of other channels and several classes, and NIfTI files that it opens. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = OverlappingApp::class, qualifiers = "w1280dp-h800dp-land-notnight-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ClassScreensTest {
    private val folder = File("../tests/golden/classes")

    private fun <T : Activity> launch(kind: Class<T>, intent: Intent = Intent()): T {
        settle()
        return Robolectric.buildActivity(kind, intent).setup().get().also { settle() }
    }

    private fun Activity.text(id: Int) = part<TextView>(id).text.toString()

    private fun study(): Study {
        settle()
        val ready = app.model as? ModelState.Ready ?: error((app.model as? ModelState.Failed)?.message ?: "not ready")
        val case = ready.bundle.cases.single()
        return Study(case.name, ready.bundle.volume(case, ready.segmenter.contract), own = false, ready.segmenter.contract).also {
            app.start(it)
            settle()
            assertEquals(0, ready.bundle.flips(case, (it.run as RunState.Done).segmentation))
        }
    }

    private fun viewer(study: Study) = launch(ViewerActivity::class.java, Intent().putExtra(ViewerActivity.STUDY, study.id))

    private fun names(group: RadioGroup) = (0 until group.childCount).map { (group.getChildAt(it) as TextView).text.toString() }

    @Test
    fun `every class has its name, colour, volume and components, and a pixel names the classes it lies in`() {
        val study = study()
        val viewer = viewer(study)
        assertEquals(listOf("Pre", "FLAIR", "Post", "t2"), names(viewer.part(R.id.sequences)))
        assertEquals("\u25A0 whole-tumour    \u25A0 core    \u25A0 enhancing    ", viewer.text(R.id.legend))
        val classes = viewer.part<LinearLayout>(R.id.classes)
        assertEquals(3, classes.childCount)
        study.spacing = Spacing(5.0, 1.0, 1.0)
        app.changed()
        settle()
        study.rules.forEachIndexed { number, rule ->
            val row = words(classes.getChildAt(number))
            assertTrue(row, rule.name!! in row && "${Screen.decimal(study.shown!!.classes[number].total * 0.005, 1)} mL" in row)
            assertTrue(row, "${study.components(number)} component" in row)
        }
        viewer.part<SeekBar>(R.id.slider).progress = 2
        val masks = study.shown!!.of(2)
        val at = masks[1].indices.first { masks[0][it] && masks[1][it] }
        viewer.part<SliceView>(R.id.slice).onPixel(at % 43, at / 43)
        assertTrue(viewer.text(R.id.pixel), "whole-tumour, core" in viewer.text(R.id.pixel) && ", t2 " in viewer.text(R.id.pixel))
        val drawn = picture(viewer, "viewer-classes")
        for (rule in study.rules) assertTrue((0 until drawn.width * drawn.height).any { drawn.getPixel(it % drawn.width, it / drawn.width) == Called.colour(viewer, rule) })
    }

    @Test
    fun `a component of one class is dismissed, and the others stay`() {
        val study = study()
        val viewer = viewer(study)
        val before = study.shown!!.classes.map { it.total }
        val last = study.findings!!.all.indexOfLast { it.mask == 1 }
        val row = viewer.part<LinearLayout>(R.id.findings).getChildAt(last + 1) as LinearLayout
        assertTrue(words(row), "core" in words(row))
        row.getChildAt(1).performClick()
        assertEquals(listOf(0L, study.findings!!.all[last].pixels.toLong(), 0L), before.zip(study.shown!!.classes) { one, now -> one - now.total })
    }

    @Test
    fun `results and about name the classes`() {
        val study = study()
        val results = launch(ResultsActivity::class.java, Intent().putExtra(ViewerActivity.STUDY, study.id))
        picture(results, "results-classes")
        val about = launch(AboutActivity::class.java)
        for (name in listOf("whole-tumour", "core", "enhancing")) {
            assertTrue(name in words(results.window.decorView))
            assertTrue(name in words(about.window.decorView))
        }
        assertTrue("0.35" in words(about.window.decorView))
    }

    @Test
    @Config(application = GreyApp::class)
    fun `a network of one grey channel draws, and there is no sequence to choose`() {
        val viewer = viewer(study())
        assertEquals(View.GONE, viewer.part<View>(R.id.sequences_row).visibility)
        assertEquals("\u25A0 network    ", viewer.text(R.id.legend))
        picture(viewer, "scratch")
    }

    @Test
    @Config(application = CoronalApp::class)
    fun `a network that takes coronal slices is refused in one clear message`() {
        val list = launch(CasesActivity::class.java)
        assertTrue(list.text(R.id.error), "takes coronal slices of a volume" in list.text(R.id.error))
        assertFalse(list.part<View>(R.id.open_images).isEnabled)
    }

    @Test
    fun `the float network of another training is no comparison, and that is said`() {
        val viewer = viewer(study())
        viewer.part<Switch>(R.id.difference).isChecked = true
        settle()
        assertTrue(viewer.text(R.id.difference_state), "another training" in viewer.text(R.id.difference_state))
    }

    @Test
    fun `sequences stand side by side and move together`() {
        val viewer = viewer(study())
        viewer.part<Switch>(R.id.beside).isChecked = true
        picture(viewer, "scratch")
        val panes = viewer.part<ViewGroup>(R.id.panes)
        assertEquals(4, panes.childCount)
        val all = (0 until 4).map { panes.getChildAt(it) as SliceView }
        assertEquals(setOf("Pre", "FLAIR", "Post", "t2"), all.map { it.marks.title }.toSet())
        all[2].zoomTo(3f, 50f, 50f)
        assertEquals(setOf(3f), all.map { it.zoom }.toSet())
        viewer.part<Switch>(R.id.beside).isChecked = false
        assertEquals(1, panes.childCount)
    }

    @Test
    fun `the wipe hides what is drawn left of its edge`() {
        val viewer = viewer(study())
        viewer.part<SeekBar>(R.id.slider).progress = 2
        val view = viewer.part<SliceView>(R.id.slice)
        val without = picture(viewer, "scratch")
        viewer.part<Switch>(R.id.wipe).isChecked = true
        view.edge = 1f
        val hidden = picture(viewer, "scratch")
        view.edge = 0.5f
        val half = picture(viewer, "scratch")
        fun differ(one: android.graphics.Bitmap, other: android.graphics.Bitmap) = (100 until 500).sumOf { y -> (100 until 800).count { x -> one.getPixel(x, y) != other.getPixel(x, y) } }
        assertTrue(differ(without, hidden) > differ(half, hidden))
        assertTrue(differ(half, without) > 0)
    }

    @Test
    @Config(application = SoftmaxApp::class)
    fun `NIfTI files are opened with their spacing, seen in three planes, and masks shared on their voxels`() {
        val list = launch(CasesActivity::class.java)
        list.part<View>(R.id.open_images).performClick()
        val asked = shadowOf(list).nextStartedActivityForResult
        val uris = listOf("flair.nii.gz", "t2.nii").map { name ->
            Uri.parse("content://scans.test/$name").also { shadowOf(app.contentResolver).registerInputStreamSupplier(it) { File(folder, name).inputStream() } }
        }
        val clip = android.content.ClipData.newRawUri(null, uris[0]).apply { addItem(android.content.ClipData.Item(uris[1])) }
        shadowOf(list).receiveResult(asked.intent, Activity.RESULT_OK, Intent().apply { clipData = clip })
        settle()
        assertEquals("", list.text(R.id.error))
        val study = app.studies.values.single()
        assertEquals(Spacing(5.0, 2.625, 1.5), study.spacing)
        val viewer = viewer(study)
        assertEquals("flair", viewer.text(R.id.title))
        assertEquals(View.GONE, viewer.part<View>(R.id.spacing).visibility)
        viewer.part<SliceView>(R.id.slice).onPixel(20, 18)
        picture(viewer, "scratch")
        val marks = viewer.part<SliceView>(R.id.slice).marks
        assertEquals(listOf(R.string.side_right, R.string.side_left, R.string.side_front), marks.edges.run { listOf(left, right, top) })
        for (plane in listOf(Plane.CORONAL, Plane.SAGITTAL)) {
            viewer.part<RadioGroup>(R.id.planes).run { check(Choices.id(this, plane.ordinal)) }
            picture(viewer, "scratch")
            assertEquals("Slice ${if (plane == Plane.CORONAL) 19 else 21} of 43", viewer.text(R.id.position))
            assertEquals(R.string.side_head, marks.edges.top)
            assertTrue(viewer.text(R.id.pixel), viewer.text(R.id.pixel).startsWith("slice 3, column 20, row 18: FLAIR"))
        }
        viewer.part<View>(R.id.share).performClick()
        val dialog = org.robolectric.shadows.ShadowAlertDialog.getLatestAlertDialog()
        shadowOf(dialog).clickOnItem(0)
        settle()
        val sent = shadowOf(viewer).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        val uri = sent.getParcelableExtra(Intent.EXTRA_STREAM, Uri::class.java)!!
        val bytes = File(app.cacheDir, "shared/${uri.lastPathSegment}").readBytes()
        val back = Nifti.open("back.nii.gz", bytes).single()
        assertTrue(back.grid.sameAs(study.volume.source!!.grid))
        val labels = (0 until 4).flatMap { back.plane(it).toList() }
        val core = study.shown!!.classes[1].total
        assertEquals(core, labels.count { it == 2.0 }.toLong())
        assertNotEquals(0L, core)
    }

    @Test
    fun `masks of pictures are shared as a zip of maps of labels`() {
        val study = study()
        val viewer = viewer(study)
        assertNull(study.volume.source)
        viewer.part<View>(R.id.share).performClick()
        settle()
        val sent = shadowOf(viewer).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        assertEquals("application/zip", sent.type)
        val file = File(app.cacheDir, "shared/${sent.getParcelableExtra(Intent.EXTRA_STREAM, Uri::class.java)!!.lastPathSegment}")
        java.util.zip.ZipFile(file).use { zip ->
            assertEquals((1..4).map { "overlapping_${it}_mask.png" }, zip.entries().toList().map { it.name })
            val picture = javax.imageio.ImageIO.read(zip.getInputStream(zip.getEntry("overlapping_3_mask.png")))
            val wanted = org.edgeseg.core.labelMap(study.shown!!.of(2), study.rules)
            assertEquals(wanted.toList(), (0 until 43 * 43).map { picture.raster.getSample(it % 43, it / 43, 0).toByte() })
        }
    }
}
