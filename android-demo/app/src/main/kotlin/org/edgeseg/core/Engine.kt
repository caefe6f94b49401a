package org.edgeseg.core

import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtProvider
import ai.onnxruntime.OrtSession
import ai.onnxruntime.TensorInfo
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** Where a network runs. */
enum class Accelerator(val id: String) {
    CPU("cpu"),
    XNNPACK("xnnpack"),
    ;

    companion object {
        /** Those that this build of ONNX Runtime holds; the CPU first. */
        fun available(): List<Accelerator> {
            val held = OrtEnvironment.getAvailableProviders()
            return listOf(CPU) + listOfNotNull(XNNPACK.takeIf { OrtProvider.XNNPACK in held })
        }
    }
}

/** How a model is opened; [reduced] keeps the graph as near to what is stored as ONNX Runtime's BASIC level allows. */
data class EngineOptions(val threads: Int = 2, val accelerator: Accelerator = Accelerator.CPU, val reduced: Boolean = false)

/**
 * One ONNX model with its contract: prepared bytes in, logits out. Tensors are made once and filled anew for each slice,
 * so one thread at a time may call [logits].
 */
class Engine(model: ByteArray, val options: EngineOptions = EngineOptions()) : AutoCloseable {
    private val environment = OrtEnvironment.getEnvironment()
    private val session = open(model)
    val contract: Contract
    val runtime: String = "onnxruntime ${environment.version}"
    private val input: OnnxTensor
    private val output: OnnxTensor
    private val encode: (ByteArray, Array<FloatArray>) -> Unit
    private val decode: (FloatArray) -> Unit
    private val feeds: Map<String, OnnxTensor>
    private val results: Map<String, OnnxTensor>

    @Volatile private var running: OrtSession.RunOptions? = null

    init {
        try {
            val metadata = session.metadata.customMetadata
            contract = Contract.parse(metadata[Contract.KEY])
            Seal.check(model, contract.text, contract)
            val (inputName, inputInfo) = only(session.inputInfo, "input")
            val (outputName, outputInfo) = only(session.outputInfo, "output")
            requireShape(inputInfo, contract.channels.size, contract.layout, "input")
            val planes = maxOf(1, contract.classes.size)
            requireShape(outputInfo, planes, contract.outputLayout, "output")
            val grid = contract.height * contract.width
            val inputBuffer = buffer(inputInfo, contract.channels.size * grid)
            val outputBuffer = buffer(outputInfo, planes * grid)
            input = tensor(inputInfo, inputBuffer)
            output = tensor(outputInfo, outputBuffer)
            encode = encoder(inputInfo, inputBuffer, metadata)
            decode = decoder(outputInfo, outputBuffer, metadata, planes)
            feeds = mapOf(inputName to input)
            results = mapOf(outputName to output)
        } catch (error: Throwable) {
            session.close()
            throw error
        }
    }

    /** How the arithmetic is done, for results. */
    val numerics: String = when {
        input.info.type == OnnxJavaType.FLOAT -> "float32"
        options.reduced -> "int8, near exact (basic graph in float)"
        else -> "int8, the device's own kernels"
    }

    private val plain by lazy { Normaliser.tables(contract, null as Array<LongArray>?) }

    /**
     * Runs one slice: planes as [Preparer] gives them into `masks * height * width` logits, mask after mask. [tables] say what its bytes become, those
     * of its volume; without them a slice is normalised by its own pixels.
     */
    fun logits(planes: ByteArray, logits: FloatArray, tables: Array<FloatArray>? = null) {
        encode(planes, tables ?: if (contract.intensity == null) plain else Normaliser.tables(contract, planes))
        try {
            OrtSession.RunOptions().use { run ->
                running = run
                session.run(feeds, emptySet(), results, run).close()
            }
        } catch (error: OrtException) {
            throw ArtifactException("ONNX Runtime failed while running the model (${oneLine(error)}). Take a fresh copy of the model.", error)
        } finally {
            running = null
        }
        decode(logits)
    }

    /** Stops the slice that is being run, from another thread. */
    fun interrupt() {
        try {
            running?.setTerminate(true)
        } catch (_: OrtException) {
            // it has just ended
        } catch (_: IllegalStateException) {
            // and is closed
        }
    }

    override fun close() {
        input.close()
        output.close()
        session.close()
    }

    private fun open(model: ByteArray): OrtSession = try {
        OrtSession.SessionOptions().use { settings ->
            settings.setIntraOpNumThreads(options.threads)
            settings.setInterOpNumThreads(1)
            settings.setOptimizationLevel(if (options.reduced) OrtSession.SessionOptions.OptLevel.BASIC_OPT else OrtSession.SessionOptions.OptLevel.ALL_OPT)
            when (options.accelerator) {
                Accelerator.CPU -> Unit
                Accelerator.XNNPACK -> settings.addXnnpack(mapOf("intra_op_num_threads" to options.threads.toString()))
            }
            environment.createSession(model, settings)
        }
    } catch (error: OrtException) {
        throw ArtifactException(
            "ONNX Runtime ${environment.version} cannot load the model (${oneLine(error)}). The file is damaged, cut short or of " +
                "another format; copy it again.",
            error,
        )
    }

    private fun only(tensors: Map<String, ai.onnxruntime.NodeInfo>, what: String): Pair<String, TensorInfo> {
        val info = tensors.values.singleOrNull()?.info as? TensorInfo
            ?: throw ArtifactException("The model has ${tensors.size} ${what}s; a segmentation model has one. Use a model that was made for this app.")
        return tensors.keys.single() to info
    }

    private fun requireShape(info: TensorInfo, channels: Int, layout: String, what: String) {
        val (height, width) = contract.height.toLong() to contract.width.toLong()
        val wanted = if (layout == "NCHW") listOf(1L, channels.toLong(), height, width) else listOf(1L, height, width, channels.toLong())
        if (info.shape.toList() != wanted) {
            throw ContractException(
                "The model's $what has the shape ${info.shape.toList()}, and its contract says $wanted. The contract belongs to " +
                    "another model; take a fresh copy of it.",
            )
        }
        if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.INT8) {
            throw ArtifactException("The model's $what is of type ${info.type}; float or int8 is needed. Use a model that was made for this app.")
        }
    }

    private fun buffer(info: TensorInfo, size: Int): ByteBuffer =
        ByteBuffer.allocateDirect(if (info.type == OnnxJavaType.INT8) size else size * Float.SIZE_BYTES).order(ByteOrder.nativeOrder())

    private fun tensor(info: TensorInfo, buffer: ByteBuffer): OnnxTensor =
        if (info.type == OnnxJavaType.INT8) {
            OnnxTensor.createTensor(environment, buffer, info.shape, OnnxJavaType.INT8)
        } else {
            OnnxTensor.createTensor(environment, buffer.asFloatBuffer(), info.shape)
        }

    private fun encoder(info: TensorInfo, buffer: ByteBuffer, metadata: Map<String, String>): (ByteArray, Array<FloatArray>) -> Unit {
        if (info.type == OnnxJavaType.INT8) {
            val (scale, zero) = codes(metadata, "input")
            val codes = ByteArray(buffer.capacity())
            return { planes, tables ->
                val coded = tables.map { table -> codes(table, scale, zero) }
                each(planes) { at, channel, value -> codes[at] = coded[channel][value] }
                buffer.clear()
                buffer.put(codes).rewind()
            }
        }
        val values = FloatArray(buffer.capacity() / Float.SIZE_BYTES)
        val floats: FloatBuffer = buffer.asFloatBuffer()
        return { planes, tables ->
            each(planes) { at, channel, value -> values[at] = tables[channel][value] }
            floats.clear()
            floats.put(values)
        }
    }

    /** Calls [put] with the place of each byte in the tensor, as the contract's layout has it, its channel, and the byte. */
    private inline fun each(planes: ByteArray, put: (Int, Int, Int) -> Unit) {
        val grid = contract.height * contract.width
        val channels = contract.channels.size
        val inPlanes = contract.layout == "NCHW"
        for (at in planes.indices) put(if (inPlanes) at else at % grid * channels + at / grid, at / grid, planes[at].toInt() and 0xff)
    }

    private fun decoder(info: TensorInfo, buffer: ByteBuffer, metadata: Map<String, String>, planes: Int): (FloatArray) -> Unit {
        val grid = contract.height * contract.width
        val values = FloatArray(planes * grid)
        val inOrder = if (planes == 1 || contract.outputLayout == "NCHW") values else FloatArray(values.size)
        val coded = if (info.type == OnnxJavaType.INT8) codes(metadata, "output") else null
        val logits = Logits(contract, coded?.first)
        val codes = ByteArray(if (coded == null) 0 else buffer.capacity())
        val floats = buffer.asFloatBuffer()
        return { into ->
            if (coded == null) {
                floats.rewind()
                floats.get(values)
            } else {
                buffer.rewind()
                buffer.get(codes)
                for (at in values.indices) values[at] = (codes[at] - coded.second).toFloat() * coded.first.toFloat()
            }
            if (values.any { !it.isFinite() }) throw ArtifactException("The model gave values that are not numbers. Take a fresh copy of it.")
            if (inOrder !== values) for (at in values.indices) inOrder[at % planes * grid + at / planes] = values[at]
            logits.of(inOrder, into)
        }
    }

    private fun codes(metadata: Map<String, String>, end: String): Pair<Double, Int> {
        val scale = metadata["edgeseg.${end}_scale"]?.toDoubleOrNull()
        val zero = metadata["edgeseg.${end}_zero_point"]?.toIntOrNull()
        if (scale == null || zero == null || !(scale > 0 && scale.isFinite())) {
            throw ArtifactException(
                "The model's $end is int8, and the metadata 'edgeseg.${end}_scale' and 'edgeseg.${end}_zero_point' that say what its " +
                    "values mean are missing or wrong. Take a fresh copy of the model.",
            )
        }
        return scale to zero
    }

    companion object {
        /** The int8 codes of values, halves to even. */
        fun codes(values: FloatArray, scale: Double, zero: Int): ByteArray =
            ByteArray(values.size) { (Math.rint(values[it] / scale) + zero).coerceIn(-128.0, 127.0).toInt().toByte() }
    }
}
