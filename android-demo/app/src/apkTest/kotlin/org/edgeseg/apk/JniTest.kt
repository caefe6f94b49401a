package org.edgeseg.apk

import com.github.unidbg.linux.android.AndroidEmulatorBuilder
import com.github.unidbg.linux.android.AndroidResolver
import com.github.unidbg.arm.backend.DynarmicFactory
import com.github.unidbg.linux.android.dvm.AbstractJni
import com.github.unidbg.linux.android.dvm.DvmObject
import com.github.unidbg.linux.android.dvm.StringObject
import com.github.unidbg.linux.android.dvm.array.ByteArray as JavaBytes
import com.github.unidbg.virtualmodule.android.AndroidModule
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.util.zip.ZipFile

/**
 * The APK's JNI library as the app's Java classes call it, as far as an emulated processor without ART goes: an
 * environment and a session are made of the model, and it says how many ends it has and what they are called.
 */
class JniTest {
    private val folder = File("target/apk-codes").apply { mkdirs() }
    private val apk = File("target/edgeseg-demo-arm64.apk")

    private fun unpacked(name: String): File = File(folder, name.substringAfterLast('/')).also { file ->
        ZipFile(apk).use { packed -> packed.getInputStream(packed.getEntry(name)).use { from -> file.outputStream().use { from.copyTo(it) } } }
    }

    @Test
    fun `the JNI library in the APK opens the model`() {
        AndroidEmulatorBuilder.for64Bit().addBackendFactory(DynarmicFactory(false)).setProcessName("org.edgeseg.demo").build().use { emulator ->
            emulator.memory.setLibraryResolver(AndroidResolver(23))
            val machine = emulator.createDalvikVM().apply { setJni(object : AbstractJni() {}) }
            AndroidModule(emulator, machine).register(emulator.memory)
            emulator.loadLibrary(unpacked("lib/arm64-v8a/libonnxruntime.so"), true)
            val library = machine.loadLibrary(unpacked("lib/arm64-v8a/libonnxruntime4j_jni.so"), true)
            library.callJNI_OnLoad(emulator)

            fun call(owner: String, function: String, vararg arguments: Any?): Long {
                val given = arguments.map { if (it is DvmObject<*>) machine.addLocalObject(it) else it }
                val self = machine.addLocalObject(machine.resolveClass("ai/onnxruntime/${owner.replace("_00024", "$")}"))
                return library.module.callFunction(emulator, "Java_ai_onnxruntime_${owner}_$function", machine.jniEnv, self, *given.toTypedArray()).toLong()
            }

            val api = call("OnnxRuntime", "initialiseAPIBase", 23)
            val environment = call("OrtEnvironment", "createHandle__JILjava_lang_String_2", api, 4, StringObject(machine, "edgeseg"))
            val options = call("OrtSession_00024SessionOptions", "createOptions", api)
            assertTrue(api != 0L && environment != 0L && options != 0L)
            val model = JavaBytes(machine, unpacked("assets/edgeseg/model.onnx").readBytes())
            val session = call("OrtSession", "createSession__JJ_3BJ", api, environment, model, options)
            assertTrue(session != 0L)
            assertEquals(1L, call("OrtSession", "getNumInputs", api, session))
            assertEquals(1L, call("OrtSession", "getNumOutputs", api, session))
        }
    }
}
