package org.edgeseg.demo

import android.app.Activity
import android.content.Intent
import android.content.res.Configuration
import android.graphics.Bitmap
import android.view.View
import android.widget.LinearLayout
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.Plane
import org.edgeseg.core.Spacing
import org.edgeseg.core.Window
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The viewer as a tool for reading: window, pixel, marks, components and the difference to float. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApp::class, qualifiers = "w1280dp-h800dp-land-notnight-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ReadingScreenTest {
    private val study: Study by lazy {
        settle()
        val ready = app.model as ModelState.Ready
        val case = ready.bundle.cases.first { it.shown }
        Study(case.name, ready.bundle.volume(case), own = false, ready.segmenter.contract).also {
            app.start(it)
            settle()
        }
    }

    private fun viewer(): Activity = Robolectric.buildActivity(ViewerActivity::class.java, Intent().putExtra(ViewerActivity.STUDY, study.id)).setup().get().also { settle() }

    private fun <T : View> Activity.part(id: Int): T = requireNotNull(findViewById<T>(id))

    private fun Activity.text(id: Int) = part<TextView>(id).text.toString()

    private fun Activity.row(index: Int) = part<LinearLayout>(R.id.findings).getChildAt(index + 1) as LinearLayout

    private fun Bitmap.has(colour: Int) = (0 until width * height).count { getPixel(it % width, it / width) == colour }

    @Test
    fun `the window is automatic, can be chosen, and goes back`() {
        val viewer = viewer()
        val own = study.automatic[study.firstChannel]
        assertTrue("$own", own.high < 200 && own != Window.WHOLE)
        assertEquals(own.width.toString(), viewer.text(R.id.window_width_value))
        val before = picture(viewer, "scratch")
        viewer.part<SeekBar>(R.id.window_width).progress = 200
        assertFalse(viewer.part<Switch>(R.id.window_automatic).isChecked)
        assertEquals(200, study.window(study.firstChannel).width)
        assertNotEquals(before.getPixel(450, 300), picture(viewer, "scratch").getPixel(450, 300))
        viewer.part<Switch>(R.id.window_automatic).isChecked = true
        assertEquals(own, study.window(study.firstChannel))
        assertNull(study.chosen[study.firstChannel])
    }

    @Test
    fun `a pixel that is tapped is read`() {
        val viewer = viewer()
        picture(viewer, "scratch")
        val view = viewer.part<SliceView>(R.id.slice)
        assertNull(view.pixelAt(1f, 1f))
        val (column, row) = requireNotNull(view.pixelAt(view.width / 2f, view.height / 2f))
        assertEquals(128 to 128, column to row)
        view.onPixel(100, 90)
        val slice = study.volume.slices[study.volume.slices.size / 2]
        val levels = (0..2).map { slice.bytes[(90 * slice.width + 100) * 3 + it].toInt() and 0xff }
        assertEquals("column 100, row 90: Pre ${levels[0]}, FLAIR ${levels[1]}, Post ${levels[2]}", viewer.text(R.id.pixel))
    }

    @Test
    fun `volume, sides and scale bar are there once they are known, and not before`() {
        val viewer = viewer()
        val marks = viewer.part<SliceView>(R.id.slice).marks
        picture(viewer, "scratch")
        assertNull(marks.barMm)
        assertNull(marks.edges.left)
        study.spacing = Spacing(5.0, 0.9, 0.9)
        study.side = Side.RIGHT
        app.changed()
        viewer.part<Switch>(R.id.reference).isChecked = true
        picture(viewer, "viewer-reading")
        assertEquals(50, marks.barMm)
        val ml = study.shown!!.tumourPixels * study.spacing!!.voxelMl
        val figure = viewer.part<LinearLayout>(R.id.figures).getChildAt(0)
        assertEquals("${Screen.decimal(ml, 1)} mL", figure.requireViewById<TextView>(R.id.figure_value).text.toString())
        assertTrue(viewer.text(R.id.state), "mm²" in viewer.text(R.id.state))
        viewer.part<SliceView>(R.id.slice).zoomTo(4f, 460f, 300f)
        picture(viewer, "scratch")
        assertTrue("${marks.barMm}", marks.barMm!! < 50)
    }

    @Test
    fun `a component is gone to, dismissed, and put back`() {
        val viewer = viewer()
        val all = study.findings!!.all
        val last = all.last()
        val before = study.shown!!.tumourPixels
        val row = viewer.row(all.size - 1)
        row.getChildAt(0).performClick()
        assertEquals(last.largest, viewer.part<SeekBar>(R.id.slider).progress)
        row.getChildAt(1).performClick()
        assertEquals(before - last.pixels, study.shown!!.tumourPixels)
        viewer.part<SeekBar>(R.id.slider).progress = all.first().largest
        picture(viewer, "scratch")
        assertEquals("Restore", (viewer.row(all.size - 1).getChildAt(1) as TextView).text.toString())
        viewer.row(all.size - 1).getChildAt(1).performClick()
        assertEquals(before, study.shown!!.tumourPixels)
        viewer.row(0).getChildAt(1).performClick()
        app.start(study)
        settle()
        assertEquals(emptySet<Int>(), study.dismissed)
    }

    @Test
    fun `the difference to float is counted and drawn`() {
        val viewer = viewer()
        viewer.part<Switch>(R.id.difference).isChecked = true
        settle()
        val float = study.float as FloatState.Done
        val flips = float.flips.sum()
        assertTrue("$flips", flips > 0)
        assertTrue(viewer.text(R.id.difference_state), viewer.text(R.id.difference_state).startsWith("${Screen.whole(flips.toLong())} of"))
        viewer.part<SeekBar>(R.id.slider).progress = float.flips.indices.maxBy { float.flips[it] }
        assertTrue(picture(viewer, "viewer-difference").has(viewer.getColor(R.color.mask_difference)) > 0)
        assertTrue("differs from float" in viewer.text(R.id.legend))
    }

    @Test
    fun `the case is seen with a wipe, side by side, and in other planes, in proportion`() {
        val viewer = viewer()
        val view = viewer.part<SliceView>(R.id.slice)
        viewer.part<Switch>(R.id.wipe).isChecked = true
        picture(viewer, "viewer-wipe")
        viewer.part<Switch>(R.id.wipe).isChecked = false
        viewer.part<Switch>(R.id.beside).isChecked = true
        picture(viewer, "viewer-beside")
        assertEquals(3, viewer.part<android.view.ViewGroup>(R.id.panes).childCount)
        viewer.part<Switch>(R.id.beside).isChecked = false
        study.spacing = Spacing(5.0, 0.9, 0.9)
        study.side = Side.RIGHT
        app.changed()
        view.onPixel(112, 170)
        for (plane in listOf(Plane.CORONAL, Plane.SAGITTAL)) {
            viewer.part<RadioGroup>(R.id.planes).run { check(Choices.id(this, plane.ordinal)) }
            picture(viewer, "viewer-${plane.name.lowercase()}")
            assertEquals("Slice ${if (plane == Plane.CORONAL) 171 else 113} of 256", viewer.text(R.id.position))
            assertTrue(viewer.text(R.id.pixel), viewer.text(R.id.pixel).startsWith("slice 14, column 112, row 170"))
        }
        assertNull(view.marks.edges.left)
        viewer.row(0).getChildAt(0).performClick()
        assertEquals("Slice ${study.findings!!.all.first().largest + 1} of ${study.volume.slices.size}", viewer.text(R.id.position))
    }

    @Test
    @Config(qualifiers = "w800dp-h1280dp-port-notnight-mdpi")
    fun `sequences side by side in portrait`() {
        val viewer = viewer()
        viewer.part<Switch>(R.id.beside).isChecked = true
        picture(viewer, "viewer-portrait-beside")
        assertEquals(3, viewer.part<android.view.ViewGroup>(R.id.panes).childCount)
    }

    @Test
    fun `the viewer is dark on a light tablet, names its colours, and tells no milliseconds`() {
        val viewer = viewer()
        assertEquals(Configuration.UI_MODE_NIGHT_YES, viewer.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK)
        assertEquals("\u25A0 network    ", viewer.text(R.id.legend))
        assertFalse(all(viewer.window.decorView).any { it is TextView && Regex("\\d ms").containsMatchIn(it.text) })
    }

    private fun all(view: View): List<View> = listOf(view) + ((view as? android.view.ViewGroup)?.let { group -> (0 until group.childCount).flatMap { all(group.getChildAt(it)) } } ?: emptyList())
}
