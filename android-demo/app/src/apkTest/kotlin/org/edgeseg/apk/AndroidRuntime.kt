package org.edgeseg.apk

import com.github.unidbg.AndroidEmulator
import com.github.unidbg.Module
import com.github.unidbg.arm.backend.DynarmicFactory
import com.github.unidbg.linux.android.AndroidEmulatorBuilder
import com.github.unidbg.linux.android.AndroidResolver
import com.github.unidbg.pointer.UnidbgPointer
import com.github.unidbg.virtualmodule.android.AndroidModule
import java.io.File

/** One end of a model: its name, and its shape of int8. */
class End(val name: String, val shape: List<Int>) {
    val size: Int get() = shape.reduce(Int::times)
}

/**
 * Android's build of ONNX Runtime on an emulated arm64 processor, above Android's C library (API 23), through the C API.
 * No Java of Android runs, and no time that passes here says anything of a tablet.
 */
class AndroidRuntime(library: File, model: ByteArray, private val input: End, private val output: End) : AutoCloseable {
    private val emulator: AndroidEmulator =
        AndroidEmulatorBuilder.for64Bit().addBackendFactory(DynarmicFactory(false)).setProcessName("org.edgeseg.demo").build()
    private val memory = emulator.memory
    private val api: UnidbgPointer
    private val session: UnidbgPointer
    private val place: UnidbgPointer
    val version: String

    init {
        memory.setLibraryResolver(AndroidResolver(API_LEVEL))
        AndroidModule(emulator, emulator.createDalvikVM()).register(memory)
        val base = pointer(emulator.loadLibrary(library, true).callFunction(emulator, "OrtGetApiBase"))
        version = pointer(invoke(base.getPointer(POINTER))).getString(0)
        api = pointer(invoke(base.getPointer(0), API_VERSION))
        val environment = made { call(CREATE_ENV, LOG_FATAL, "edgeseg", it) }
        val options = made { call(CREATE_SESSION_OPTIONS, it) }
        call(SET_INTRA_OP_THREADS, options, 1)
        call(SET_INTER_OP_THREADS, options, 1)
        session = made { call(CREATE_SESSION_FROM_ARRAY, environment, block(model), model.size.toLong(), options, it) }
        place = made { call(CREATE_CPU_MEMORY_INFO, DEVICE_ALLOCATOR, DEFAULT_MEMORY, it) }
    }

    /** Runs codes of the input's shape to those of the output's. */
    fun infer(codes: ByteArray): ByteArray {
        val (from, into) = block(codes) to block(ByteArray(output.size))
        val (given, found) = tensor(input, from) to tensor(output, into)
        call(
            RUN, session, null, pointers(block(input.name)), pointers(given), 1L, pointers(block(output.name)), 1L, pointers(found),
        )
        return into.getByteArray(0, output.size).also { memory.munmap(from.peer, pages(codes.size)); memory.munmap(into.peer, pages(output.size)) }
    }

    override fun close() = emulator.close()

    private fun tensor(end: End, data: UnidbgPointer): UnidbgPointer {
        val shape = memory.malloc(POINTER.toInt() * end.shape.size, false).pointer
        shape.write(0, LongArray(end.shape.size) { end.shape[it].toLong() }, 0, end.shape.size)
        return made { call(CREATE_TENSOR, place, data, end.size.toLong(), shape, end.shape.size.toLong(), INT8, it) }
    }

    /** Calls a function of the API; what it returns is null where all is well, else a status with a message. */
    private fun call(function: Int, vararg arguments: Any?) {
        val status = invoke(api.getPointer(function * POINTER), *arguments).toLong()
        check(status == 0L) { pointer(invoke(api.getPointer(GET_ERROR_MESSAGE * POINTER), pointer(status))).getString(0) }
    }

    private fun invoke(function: UnidbgPointer, vararg arguments: Any?): Number = Module.emulateFunction(emulator, function.peer, *arguments)

    private fun made(call: (UnidbgPointer) -> Unit): UnidbgPointer {
        val cell = pointers(null)
        call(cell)
        return cell.getPointer(0)
    }

    private fun pointers(one: UnidbgPointer?): UnidbgPointer =
        memory.malloc(POINTER.toInt(), false).pointer.also { it.write(0, longArrayOf(one?.peer ?: 0L), 0, 1) }

    private fun block(text: String) = block((text + "\u0000").toByteArray())

    private fun block(bytes: ByteArray): UnidbgPointer =
        memory.mmap(pages(bytes.size), READ_WRITE).also { it.write(0, bytes, 0, bytes.size) }

    private fun pages(size: Int) = (size + PAGE - 1) / PAGE * PAGE

    private fun pointer(address: Number): UnidbgPointer = UnidbgPointer.pointer(emulator, address.toLong())

    private companion object {
        const val API_LEVEL = 23
        const val POINTER = 8L
        const val PAGE = 4096
        const val READ_WRITE = 3

        // Places in OrtApi, of onnxruntime_c_api.h, which only grows at its end.
        const val API_VERSION = 23
        const val GET_ERROR_MESSAGE = 2
        const val CREATE_ENV = 3
        const val CREATE_SESSION_FROM_ARRAY = 8
        const val RUN = 9
        const val CREATE_SESSION_OPTIONS = 10
        const val SET_INTRA_OP_THREADS = 24
        const val SET_INTER_OP_THREADS = 25
        const val CREATE_TENSOR = 49
        const val CREATE_CPU_MEMORY_INFO = 69
        const val LOG_FATAL = 4
        const val DEVICE_ALLOCATOR = 0
        const val DEFAULT_MEMORY = 0
        const val INT8 = 3
    }
}
