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
import org.edgeseg.core.Segmentation
import org.edgeseg.core.Segmenter
import org.edgeseg.core.SelfTest
import org.edgeseg.core.Source
import org.edgeseg.core.Spacing
import org.edgeseg.core.Volume
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Where the model is: being checked, ready, or not to be used. */
sealed interface ModelState {
    data object Loading : ModelState
    class Ready(val bundle: Bundle, val segmenter: Segmenter, val selfTest: SelfTest?) : ModelState
    class Failed(val message: String) : ModelState
}

/** Where the run of a case is. */
sealed interface RunState {
    class Running(val done: Int) : RunState
    class Done(val segmentation: Segmentation) : RunState
    class Failed(val message: String) : RunState
    data object Cancelled : RunState
}

/** A case that is open. It lives as long as the app does, so that turning the tablet disturbs no run. */
class Study(val id: String, val volume: Volume, val own: Boolean) {
    var run: RunState = RunState.Running(0)
    var spacing: Spacing? = volume.spacing

    @Volatile var cancelled = false
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
        study.run = RunState.Running(0)
        study.cancelled = false
        changed()
        inBackground({ run(study) }, { study.run = RunState.Done(it) }, { message ->
            study.run = if (message.isEmpty()) RunState.Cancelled else RunState.Failed(message)
        })
    }

    /** Stops a run between two slices, or within one. */
    fun cancel(study: Study) {
        study.cancelled = true
        (model as? ModelState.Ready)?.segmenter?.engine?.interrupt()
    }

    fun changed() {
        for (listener in listeners.toList()) listener()
    }

    private fun run(study: Study): Segmentation {
        val ready = when (val state = model) {
            is ModelState.Ready -> state
            is ModelState.Failed -> throw EdgeSegException(state.message)
            ModelState.Loading -> throw EdgeSegException(getString(R.string.engine_loading))
        }
        return ready.segmenter.segment(study.volume, { study.cancelled }) { done ->
            main.post {
                if (study.run is RunState.Running) {
                    study.run = RunState.Running(done)
                    changed()
                }
            }
        }
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
        private const val MAX_THREADS = 4

        /** As many threads as a tablet has fast cores, as a rule. */
        fun defaultThreads(): Int = Runtime.getRuntime().availableProcessors().coerceIn(1, MAX_THREADS)
    }
}
