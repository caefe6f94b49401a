package org.edgeseg.demo

import android.view.View
import android.widget.LinearLayout
import android.widget.Switch
import android.widget.TextView
import org.edgeseg.core.InputLook
import org.edgeseg.core.Oddity
import org.edgeseg.core.Spacing
import org.edgeseg.core.Trusted
import org.edgeseg.core.Volume
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** How far a mask is to be believed, on the screens of the viewer, the results and the contract. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TrustedApp::class, qualifiers = "w1280dp-h800dp-land-notnight-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class TrustScreenTest {
    private fun study(whole: Boolean = true, given: (Volume) -> Volume = { it }): Study {
        settle()
        val ready = app.model as? ModelState.Ready ?: error((app.model as? ModelState.Failed)?.message ?: "not ready")
        val case = ready.bundle.cases.first { it.shown }
        val volume = given(ready.bundle.volume(case)).let { if (whole) it else Volume(it.name, it.slices, null, whole = false) }
        return Study(case.name, volume, own = false, ready.segmenter.contract).also {
            app.start(it)
            settle()
            it.spacing = Spacing(5.0, 0.9, 0.9)
        }
    }

    @Test
    fun `the viewer has the volume's interval, the expected overlap, and what kind of figures these are`() {
        val study = study()
        val viewer = launch(ViewerActivity::class.java, study)
        val (verdict, ml) = requireNotNull(study.doubt?.verdict) to study.shown!!.tumourPixels * study.spacing!!.voxelMl
        val (low, high) = requireNotNull(verdict.interval(ml))
        val label = viewer.part<LinearLayout>(R.id.figures).getChildAt(0).requireViewById<TextView>(R.id.figure_label).text.toString()
        assertEquals("[${Screen.decimal(low, 1)}, ${Screen.decimal(high, 1)}]", label)
        val told = words(viewer.part(R.id.trust))
        assertFalse(verdict.look)
        assertEquals(
            "Expected overlap ${Screen.decimal(verdict.expectedDice!!, 2)}\nA statistical estimate, fitted on 88 patients. In 90\u00A0% of them the volume lay in the brackets.",
            told,
        )
        picture(viewer, "viewer-trust")
    }

    @Test
    @Config(application = DoubtingApp::class)
    fun `a case to be looked at is said to be, and why, and where the network is unsure`() {
        val study = study()
        val viewer = launch(ViewerActivity::class.java, study)
        val told = words(viewer.part(R.id.trust))
        assertTrue(told, "Look at this one: the border is unsure: it is 0.9 pixels wide (0.4 is usual).\n" in told)
        val yellow = viewer.getColor(R.color.mask_unsure)
        viewer.part<Switch>(R.id.outline).isChecked = false
        val plain = picture(viewer, "scratch")
        viewer.part<Switch>(R.id.unsure).isChecked = true
        assertTrue("unsure" in viewer.part<TextView>(R.id.legend).text)
        val drawn = picture(viewer, "viewer-unsure")
        val changed = (0 until drawn.width * drawn.height).count { drawn.getPixel(it % drawn.width, it / drawn.width) != plain.getPixel(it % drawn.width, it / drawn.width) }
        assertTrue("$changed pixels, colour $yellow", changed > 50)
        val results = words(launch(ResultsActivity::class.java, study).also { picture(it, "results-trust") }.window.decorView)
        for (text in listOf("Look at this one", "Expected overlap (Dice)", " mL [", "A statistical estimate")) assertTrue(text, text in results)
    }

    @Test
    @Config(application = TestApp::class)
    fun `an input that is unlike what the network learned from is said to be odd, and others are not`() {
        val exchanged = study(given = Trusted::exchanged)
        val told = "The input looks odd: 'pre' and 'flair' look exchanged; it is unlike what the network learned from, so look at the input first, and do not rely on the mask."
        val viewer = launch(ViewerActivity::class.java, exchanged)
        assertEquals(told, words(viewer.part(R.id.trust)).lines().first())
        picture(viewer, "viewer-odd-input")
        assertTrue("Odd input\n$told" in words(launch(ResultsActivity::class.java, exchanged).window.decorView))
        val usual = study()
        assertFalse("odd" in words(launch(ViewerActivity::class.java, usual).part(R.id.trust)))
        assertFalse("Odd input" in words(launch(ResultsActivity::class.java, usual).window.decorView))
        assertTrue("signs that it is unlike what the network learned from, fitted on" in words(launch(AboutActivity::class.java, usual).window.decorView))
    }

    @Test
    fun `every kind of odd input has its words`() {
        for ((kind, names) in InputLook.KINDS + mapOf(Oddity.COPIED to 2, Oddity.MISSING to 1, Oddity.EMPTY to 0)) {
            val said = OddWords.what(app, Oddity(kind, List(names) { "c$it" }))
            assertFalse(said, said.isBlank() || "%" in said)
        }
    }

    @Test
    fun `a mask that a reader has changed has no interval`() {
        val study = study()
        val words = TrustWords(app, study)
        assertTrue(words.interval != null && words.overlap != null)
        study.dismiss(0, true)
        assertEquals(null, words.interval)
    }

    @Test
    fun `lone slices are told nothing of`() = nothing(study(whole = false))

    @Test
    @Config(application = PlainApp::class)
    fun `nor is anything where the contract does not say it`() = nothing(study())

    private fun nothing(study: Study) {
        val viewer = launch(ViewerActivity::class.java, study)
        assertEquals(View.GONE, viewer.part<View>(R.id.trust).visibility)
        assertEquals(View.GONE, viewer.part<View>(R.id.unsure).visibility)
        assertEquals("tumour", viewer.part<LinearLayout>(R.id.figures).getChildAt(0).requireViewById<TextView>(R.id.figure_label).text.toString())
        assertFalse("overlap" in words(launch(ResultsActivity::class.java, study).window.decorView))
    }

    @Test
    fun `about says what the figures were fitted on`() {
        val about = words(launch(AboutActivity::class.java, study()).window.decorView)
        assertTrue(about, "fitted on 88 patients (kaggle-lgg), 90\u00A0% of whose volumes lay in it; to be looked at under 0.70" in about)
    }
}
