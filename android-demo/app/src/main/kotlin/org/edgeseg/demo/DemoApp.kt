package org.edgeseg.demo

import android.app.Application
import android.os.Build
import android.os.Handler
import android.os.Looper
import org.edgeseg.core.Bundle
import org.edgeseg.core.CancelledException
import org.edgeseg.core.EdgeSegException
import org.edgeseg.core.Engine
import org.edgeseg.core.EngineOptions
import org.edgeseg.core.Findings
import org.edgeseg.core.Segmenter
import org.edgeseg.core.SelfTest
import org.edgeseg.core.Source
import org.edgeseg.core.Window
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Where the model is: being checked, ready, or not to be used. */
sealed interface ModelState {
    data object Loading : ModelState
    class Ready(val bundle: Bundle, val segmenter: Segmenter, val selfTest: SelfTest?) : ModelState
    class Failed(val message: String) : ModelState
}

/**
 * Holds the model and the open cases. One worker thread does everything that takes time; state is changed and told on
 * the main thread only.
 */
open class DemoApp : Application() {
    val worker: ExecutorService = Executors.newSingleThreadExecutor()
    private val main = Handler(Looper.getMainLooper())
    private val listeners = ArrayList<() -> Unit>()
    val studies = LinkedHashMap<String, Study>()
    var model: ModelState = ModelState.Loading
        private set

    override fun onCreate() {
        super.onCreate()
        val threads = EngineOptions(threads = defaultThreads())
        inBackground({ load(threads) }, { model = it }, { model = ModelState.Failed(it) })
    }

    /** Opens a file of the bundle. */
    open fun source(): Source = { assets.open("edgeseg/$it") }

    open fun options(options: EngineOptions): EngineOptions = options

    /** Calls [listener] on the main thread whenever something changed. */
    fun listen(listener: () -> Unit) {
        listeners += listener
    }

    fun unlisten(listener: () -> Unit) {
        listeners -= listener
    }

    /** Runs [work] on the worker, then [done] or [failed] with a message on the main thread. */
    fun <T> inBackground(work: () -> T, done: (T) -> Unit, failed: (String) -> Unit) {
        worker.execute {
            val tell: () -> Unit = try {
                work().let { result -> { done(result) } }
            } catch (_: CancelledException) {
                { failed("") }
            } catch (error: EdgeSegException) {
                { failed(error.message.orEmpty()) }
            } catch (error: Exception) {
                { failed(getString(R.string.unexpected, error.toString())) }
            } catch (error: LinkageError) {
                { failed(getString(R.string.unexpected, error.toString())) }
            } catch (error: OutOfMemoryError) {
                { failed(getString(R.string.unexpected, error.toString())) }
            }
            main.post {
                tell()
                changed()
            }
        }
    }

    /** Makes a case known and starts its run. */
    fun start(study: Study) {
        studies[study.id] = study
        study.restart()
        changed()
        inBackground({ study.channels.indices.map { Window.automatic(study.volume.slices, it) } }, { study.automatic = it }, {})
        inBackground({ run(study) }, { study.run = it }, { message ->
            study.run = if (message.isEmpty()) RunState.Cancelled else RunState.Failed(message)
        })
    }

    /** Whether the float network of the same training is in the app. */
    val hasFloat: Boolean by lazy { FLOAT_MODEL in assets.list(FLOAT).orEmpty() }

    /** Runs the float network on a case that the app's network has drawn on. */
    fun startFloat(study: Study) {
        val done = study.run as? RunState.Done ?: return
        if (study.float is FloatState.Running || study.float is FloatState.Done) return
        study.float = FloatState.Running
        changed()
        inBackground({ floatMasks(study, done) }, { study.float = it }, { study.float = FloatState.Failed(it) })
    }

    /** Stops a run between two slices, or within one. */
    fun cancel(study: Study) {
        study.cancelled = true
        (model as? ModelState.Ready)?.segmenter?.engine?.interrupt()
    }

    fun changed() {
        for (listener in listeners.toList()) listener()
    }

    private fun run(study: Study): RunState.Done {
        val ready = when (val state = model) {
            is ModelState.Ready -> state
            is ModelState.Failed -> throw EdgeSegException(state.message)
            ModelState.Loading -> throw EdgeSegException(getString(R.string.engine_loading))
        }
        val segmentation = ready.segmenter.segment(study.volume, { study.cancelled }) { done ->
            main.post {
                if (study.run is RunState.Running) {
                    study.run = RunState.Running(done)
                    changed()
                }
            }
        }
        return RunState.Done(segmentation, Findings.of(study.volume, segmentation.classes))
    }

    private fun floatMasks(study: Study, done: RunState.Done): FloatState {
        val bundle = Bundle({ assets.open("$FLOAT/$it") }, Pictures::decode)
        val options = options(EngineOptions(threads = defaultThreads()))
        val drawn = Segmenter(Engine(bundle.modelBytes(), options)).use { segmenter ->
            if (segmenter.contract.given != study.channels || segmenter.contract.masks.map { it.name } != study.rules.map { it.name }) {
                throw EdgeSegException(getString(R.string.difference_other))
            }
            segmenter.segment(study.volume)
        }
        return FloatState.Done(drawn, done.segmentation)
    }

    private fun load(threads: EngineOptions): ModelState {
        val bundle = Bundle(source(), Pictures::decode)
        val segmenter = Segmenter(Engine(bundle.modelBytes(), options(threads)))
        val passed = getSharedPreferences(PREFERENCES, MODE_PRIVATE)
        val key = "${bundle.model.sha256} ${segmenter.engine.runtime} ${Build.FINGERPRINT}"
        if (passed.getString(SELF_TEST, null) == key) return ModelState.Ready(bundle, segmenter, null)
        val test = bundle.selfTest(segmenter)
        if (!test.passed) {
            segmenter.close()
            throw EdgeSegException(getString(R.string.self_test_failed, test.flips, test.allowedFlips))
        }
        passed.edit().putString(SELF_TEST, key).apply()
        return ModelState.Ready(bundle, segmenter, test)
    }

    companion object {
        private const val PREFERENCES = "model"
        private const val SELF_TEST = "self_test_passed"
        private const val FLOAT = "edgeseg-float"
        private const val FLOAT_MODEL = "model.onnx"
        private const val MAX_THREADS = 4

        /** As many threads as a tablet has fast cores, as a rule. */
        fun defaultThreads(): Int = Runtime.getRuntime().availableProcessors().coerceIn(1, MAX_THREADS)
    }
}
