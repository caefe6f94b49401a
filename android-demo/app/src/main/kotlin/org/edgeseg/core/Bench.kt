package org.edgeseg.core

/** What a benchmark runs on. */
data class Device(val model: String, val cpu: String, val architecture: String, val cores: Int, val os: String, val memoryBytes: Long?)

/** The times of one artifact on one device. */
class BenchRun(val engine: Engine, val loadMs: Double, val firstMs: Double, val warmupRuns: Int, private val runsMs: List<Double>) {
    private val sorted = runsMs.sorted()
    val runs: Int get() = sorted.size
    val p50: Double get() = percentile(50.0)
    val p90: Double get() = percentile(90.0)
    val p95: Double get() = percentile(95.0)
    val p99: Double get() = percentile(99.0)
    val min: Double get() = sorted.first()

    /** Linear between the two nearest runs, as NumPy has it. */
    fun percentile(percent: Double): Double {
        val at = percent / 100 * (sorted.size - 1)
        val low = at.toInt()
        return sorted[low] + (sorted[minOf(low + 1, sorted.size - 1)] - sorted[low]) * (at - low)
    }
}

/** Single-slice latency, in the schema of `edgeseg bench`: docs/reference/bench.md. */
object Bench {
    const val RUNS = 100
    const val WARMUP = 10
    private const val NANOS_PER_MS = 1e6

    /** Times prepared bytes to logits on one slice; [cancelled] is asked before each run. */
    fun run(model: ByteArray, options: EngineOptions, slice: Slice, cancelled: () -> Boolean, progress: (Int, Int) -> Unit): BenchRun {
        var before = System.nanoTime()
        val engine = Engine(model, options)
        engine.use {
            val loadMs = (System.nanoTime() - before) / NANOS_PER_MS
            val planes = Preparer(engine.contract).prepare(slice)
            val logits = FloatArray(engine.contract.masks.size * engine.contract.height * engine.contract.width)
            val times = (0..WARMUP + RUNS).map { index ->
                if (cancelled()) throw CancelledException()
                before = System.nanoTime()
                Mirrored.logits(engine, planes, logits)
                progress(index + 1, WARMUP + RUNS + 1)
                (System.nanoTime() - before) / NANOS_PER_MS
            }
            return BenchRun(engine, loadMs, times.first(), WARMUP, times.drop(WARMUP + 1))
        }
    }

    /** The result as JSON that `edgeseg report` reads. */
    fun json(run: BenchRun, device: Device, model: BundleFile, app: String): String = Json.write(
        linkedMapOf(
            "device" to linkedMapOf(
                "cpu" to device.cpu,
                "architecture" to device.architecture,
                "cores" to device.cores,
                "os" to device.os,
                "versions" to linkedMapOf("onnxruntime" to run.engine.runtime.substringAfter(' '), "edgeseg-app" to app),
                "model" to device.model,
                "memory_bytes" to device.memoryBytes,
            ),
            "cells" to listOf(cell(run, model)),
            "gemm" to emptyList<Any>(),
            "references" to emptyList<Any>(),
            "seed" to 0,
            "budget_s" to null,
            "remarks" to listOf("measured by the tablet app on a slice of a bundled case; one run, nothing took turns with it"),
            "schema_version" to 1,
        ),
    )

    private fun cell(run: BenchRun, model: BundleFile): Map<String, Any?> = linkedMapOf(
        "file" to model.file,
        "format" to "onnx",
        "size_bytes" to model.sizeBytes,
        "sha256" to model.sha256,
        "has_contract" to true,
        "runtime" to run.engine.runtime,
        "threads" to run.engine.options.threads,
        "numerics" to run.engine.numerics,
        "runs" to run.runs,
        "warmup_runs" to run.warmupRuns,
        "p50_ms" to run.p50,
        "p90_ms" to run.p90,
        "p95_ms" to run.p95,
        "p99_ms" to run.p99,
        "min_ms" to run.min,
        "variant" to run.engine.contract.variant,
        "target" to run.engine.contract.target,
        "accelerator" to run.engine.options.accelerator.id,
        "load_ms" to run.loadMs,
        "first_ms" to run.firstMs,
    )
}
