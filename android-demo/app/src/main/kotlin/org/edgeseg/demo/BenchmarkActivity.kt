package org.edgeseg.demo

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.RadioGroup
import android.widget.TextView
import org.edgeseg.core.Accelerator
import org.edgeseg.core.Bench
import org.edgeseg.core.BenchRun
import org.edgeseg.core.EngineOptions

/** Times the model on this tablet. The run lives here in the companion, so that turning the tablet disturbs nothing. */
class BenchmarkActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        open(R.layout.benchmark, getString(R.string.benchmark_title))
        if (wide) besideEachOther(part(R.id.columns))
        part<TextView>(R.id.explained).text = getString(R.string.benchmark_explained, Bench.RUNS, Bench.WARMUP)
        val threads = generateSequence(1) { it * 2 }.takeWhile { it <= maxOf(2, Runtime.getRuntime().availableProcessors()) }.take(4).toList()
        Choices.fill(part(R.id.threads), threads.map { it.toString() }, maxOf(0, threads.indexOfLast { it <= DemoApp.defaultThreads() }))
        Choices.fill(part(R.id.accelerators), Accelerator.available().map { it.id }, 0)
        part<View>(R.id.start).setOnClickListener { if (running) cancelled = true else start() }
        part<View>(R.id.share).setOnClickListener { share() }
        show()
    }

    override fun show() {
        part<Button>(R.id.start).setText(if (running) R.string.cancel else R.string.benchmark_start)
        part<ProgressBar>(R.id.progress).apply {
            visibility = if (running) View.VISIBLE else View.INVISIBLE
            max = total
            progress = done
        }
        showError(problem ?: (app.model as? ModelState.Failed)?.message)
        val found = result
        part<View>(R.id.share).visibility = if (found != null && !running) View.VISIBLE else View.GONE
        part<TextView>(R.id.state).text = when {
            running -> getString(R.string.benchmark_running, done, total)
            found != null -> found.engine.options.let {
                getString(R.string.benchmark_done, found.engine.runtime, threads(it.threads), it.accelerator.id, decimal(found.loadMs, 0), decimal(found.firstMs, 1))
            }
            wasCancelled -> getString(R.string.benchmark_cancelled)
            else -> getString(R.string.benchmark_none)
        }
        val figures = part<LinearLayout>(R.id.figures)
        figures.removeAllViews()
        if (found == null || running) return
        for ((value, label) in listOf(found.p50 to R.string.benchmark_p50, found.p90 to R.string.benchmark_p90, found.p99 to R.string.benchmark_p99)) {
            figure(figures, getString(R.string.value_ms, decimal(value, 1)), getString(label, *emptyArray<Any>()))
        }
    }

    private fun start() {
        val ready = app.model as? ModelState.Ready ?: return
        val accelerator = Accelerator.available()[Choices.chosen(part<RadioGroup>(R.id.accelerators))]
        val options = app.options(EngineOptions(threads = 1 shl Choices.chosen(part<RadioGroup>(R.id.threads)), accelerator = accelerator))
        running = true
        cancelled = false
        wasCancelled = false
        problem = null
        result = null
        done = 0
        app.changed()
        app.inBackground({ measure(ready, options) }, { finished(it, null) }, { finished(null, it) })
    }

    private fun measure(ready: ModelState.Ready, options: EngineOptions): BenchRun {
        val case = ready.bundle.cases.first { it.shown }
        val slice = ready.bundle.slice(case, case.images.size / 2, ready.segmenter.contract)
        return Bench.run(ready.bundle.modelBytes(), options, slice, { cancelled }) { run, of ->
            window.decorView.post {
                done = run
                total = of
                if (run % TELL_EVERY == 0) app.changed()
            }
        }
    }

    private fun finished(found: BenchRun?, message: String?) {
        running = false
        result = found
        wasCancelled = message == ""
        problem = message?.ifEmpty { null }
    }

    private fun share() {
        val ready = app.model as? ModelState.Ready ?: return
        val json = Bench.json(result ?: return, Hardware.device(this), ready.bundle.model, packageManager.getPackageInfo(packageName, 0).versionName ?: "?")
        val send = Intent(Intent.ACTION_SEND).setType("application/json").putExtra(Intent.EXTRA_SUBJECT, getString(R.string.share_subject)).putExtra(Intent.EXTRA_TEXT, json)
        startActivity(Intent.createChooser(send, getString(R.string.benchmark_share)))
    }

    private fun besideEachOther(columns: LinearLayout) {
        columns.orientation = LinearLayout.HORIZONTAL
        for (index in 0 until columns.childCount) {
            columns.getChildAt(index).layoutParams = (columns.getChildAt(index).layoutParams as LinearLayout.LayoutParams).apply {
                width = 0
                weight = 1f
            }
        }
    }

    companion object {
        private const val TELL_EVERY = 5
        private var running = false
        private var done = 0
        private var total = Bench.RUNS
        private var wasCancelled = false
        private var problem: String? = null
        internal var result: BenchRun? = null

        @Volatile private var cancelled = false
    }
}
