package org.edgeseg.demo

import android.view.View
import android.widget.LinearLayout
import org.edgeseg.core.Slice
import org.edgeseg.core.Spacing
import org.edgeseg.core.Verdict
import org.edgeseg.core.Volume
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** How far each of several masks is to be believed, on the screens of the viewer, the results and the contract. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = OverlappingApp::class, qualifiers = "w1280dp-h800dp-land-notnight-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ClassTrustScreenTest {
    /** The case, its voxels so large that no mask's volume is 0.0 mL, with some of its channels black. */
    private fun study(vararg black: Int): Study {
        settle()
        val ready = app.model as? ModelState.Ready ?: error((app.model as? ModelState.Failed)?.message ?: "not ready")
        val case = ready.bundle.volume(ready.bundle.cases.single(), ready.segmenter.contract)
        val given = Volume(case.name, case.slices.map { blackened(it, black) }, null, whole = true)
        return Study(case.name, given, own = false, ready.segmenter.contract).also {
            app.start(it)
            settle()
            it.spacing = Spacing(5.0, 3.0, 3.0)
        }
    }

    private fun blackened(slice: Slice, channels: IntArray) =
        Slice(slice.name, slice.height, slice.width, ByteArray(slice.bytes.size) { if (it % slice.channels in channels) 0 else slice.bytes[it] }, slice.channels)

    private fun ml(study: Study, mask: Int) = study.shown!!.classes[mask].total * study.spacing!!.voxelMl

    private fun verdict(study: Study, mask: Int): Verdict = requireNotNull(study.doubt!!.masks[mask])

    private fun between(study: Study, mask: Int): String {
        val (low, high) = requireNotNull(verdict(study, mask).interval(ml(study, mask)))
        return "[${Screen.decimal(low, 1)}, ${Screen.decimal(high, 1)}]"
    }

    private fun size(study: Study, mask: Int): String = "${Screen.decimal(ml(study, mask), 1)} mL ${between(study, mask)}"

    private fun dice(verdict: Verdict?) = Screen.decimal(verdict!!.expectedDice!!, 2)

    private fun results(study: Study) = words(launch(ResultsActivity::class.java, study).window.decorView)

    @Test
    fun `results tell first of the case, then of each class its volume with the interval, expected Dice and whether to look`() {
        val study = study()
        val results = launch(ResultsActivity::class.java, study)
        picture(results, "results-classes-trust")
        val told = words(results.window.decorView)
        val why = TrustWords(app, study, ENHANCING).why
        assertNotNull(why)
        assertTrue(told, "Look at this one\nenhancing: $why\nExpected overlap (Dice)\n${dice(study.doubt!!.verdict)}\nWhat kind of figures\n$REMARK In 90\u00A0% of them the volume lay in the brackets.\nClass\nSize\nExpected Dice\nComponents\n" in told)
        assertFalse(verdict(study, WHOLE).look)
        assertTrue(told, "\nwhole-tumour\n${size(study, WHOLE)}\n${dice(verdict(study, WHOLE))}\n${study.components(WHOLE)}\ncore\n${Screen.decimal(ml(study, CORE), 1)} mL\n–\n${study.components(CORE)}\n" in told)
        assertTrue(told, "\nenhancing\n${size(study, ENHANCING)}\n${dice(verdict(study, ENHANCING))}\n${study.components(ENHANCING)}\nLook at this one: $why.\nAll classes together\n" in told)
        assertEquals((verdict(study, WHOLE).expectedDice!! + verdict(study, ENHANCING).expectedDice!!) / 2, study.doubt!!.verdict!!.expectedDice!!, 1e-12)
    }

    @Test
    fun `the viewer tells of the case below its figures, of each class below its row, and where any is unsure`() {
        val study = study()
        val viewer = launch(ViewerActivity::class.java, study)
        picture(viewer, "viewer-classes-trust")
        val why = TrustWords(app, study, ENHANCING).why
        assertEquals("Look at this one: enhancing: $why.\nExpected overlap ${dice(study.doubt!!.verdict)}\n$REMARK In 90\u00A0% of them the volume lay in the brackets.", words(viewer.part(R.id.trust)))
        val (whole, core, enhancing) = viewer.part<LinearLayout>(R.id.classes).let { rows -> (0 until rows.childCount).map { words(rows.getChildAt(it)) } }
        assertTrue(whole, whole.endsWith("\nExpected overlap ${dice(verdict(study, WHOLE))}, volume ${between(study, WHOLE)}"))
        assertFalse(core, "[" in core || "overlap" in core)
        assertTrue(enhancing, enhancing.endsWith("\nLook at this one: $why.\nExpected overlap ${dice(verdict(study, ENHANCING))}, volume ${between(study, ENHANCING)}"))
        assertEquals(View.VISIBLE, viewer.part<View>(R.id.unsure).visibility)
    }

    @Test
    fun `a class that a reader has changed has no interval, and the others keep theirs`() {
        val study = study()
        study.dismiss(study.findings!!.all.indexOfFirst { it.mask == ENHANCING }, true)
        assertNull(TrustWords(app, study, ENHANCING).interval)
        assertNotNull(TrustWords(app, study, ENHANCING).overlap)
        assertNotNull(TrustWords(app, study, WHOLE).interval)
        assertTrue(size(study, WHOLE) in results(study))
    }

    @Test
    @Config(application = DroppingApp::class)
    fun `of a class whose components were all dropped no Dice is expected and no interval given`() {
        val study = study()
        assertEquals(0L, study.shown!!.classes[WHOLE].total)
        assertNotNull(verdict(study, WHOLE).expectedDice)
        val told = results(study)
        assertTrue(told, "\nwhole-tumour\n0.0 mL\n–\n0\n" in told)
        assertTrue(told, size(study, ENHANCING) in told)
    }

    @Test
    @Config(application = SurerApp::class)
    fun `of a class in which nothing was found nothing is told, and it is no reason to look`() {
        val study = study()
        assertEquals(listOf(verdict(study, WHOLE), null, null), study.doubt!!.masks)
        val told = results(study)
        assertTrue(told, "Look at this one\nnothing speaks against the mask\nExpected overlap (Dice)\n${dice(verdict(study, WHOLE))}\n" in told)
        assertTrue(told, "\nenhancing\n${Screen.decimal(ml(study, ENHANCING), 1)} mL\n–\n${study.components(ENHANCING)}\nAll classes together\n" in told)
    }

    @Test
    fun `where nothing was found in any class the case is to be looked at`() {
        val study = study(FLAIR, POST)
        assertEquals(listOf(null, null, null), study.doubt!!.masks)
        val told = results(study)
        assertTrue(told, "Look at this one\nno tumour was found, and whether there is none the network's output cannot tell\nClass\n" in told)
        assertFalse(told, "Expected overlap" in told || "estimate" in told || "[" in told)
    }

    @Test
    @Config(application = FewerApp::class)
    fun `figures that were fitted differently are remarked on by the names of their classes`() {
        val told = results(study())
        assertTrue(told, "\nwhole-tumour: $REMARK In" in told && "\nenhancing: ${REMARK.replace("88", "77")} In" in told)
    }

    @Test
    @Config(application = SoftmaxApp::class)
    fun `nothing is told where the contract does not say it`() {
        settle()
        val ready = app.model as ModelState.Ready
        val case = ready.bundle.cases.single()
        val study = Study(case.name, ready.bundle.volume(case, ready.segmenter.contract), own = false, ready.segmenter.contract)
        app.start(study)
        settle()
        val viewer = launch(ViewerActivity::class.java, study)
        assertEquals(View.GONE to View.GONE, viewer.part<View>(R.id.trust).visibility to viewer.part<View>(R.id.unsure).visibility)
        assertFalse("overlap" in words(viewer.part(R.id.classes)))
        assertTrue(results(study), "\nClass\nSize\nComponents\n" in results(study))
    }

    @Test
    fun `about says of each class what its figures were fitted on`() {
        val about = words(launch(AboutActivity::class.java, study()).window.decorView)
        for (least in listOf("0.70", "0.99")) assertTrue(about, "fitted on 88 patients (kaggle-lgg), 90\u00A0% of whose volumes lay in it; to be looked at under $least" in about)
        assertEquals(2, Regex("Tells of a mask").findAll(about).count())
    }

    private companion object {
        const val WHOLE = 0
        const val CORE = 1
        const val ENHANCING = 2
        const val FLAIR = 1
        const val POST = 2
        const val REMARK = "A statistical estimate, fitted on 88 patients."
    }
}
