package org.edgeseg.demo

import android.app.ActivityManager
import android.content.Context
import android.os.Build
import org.edgeseg.core.Device

/** What the tablet says of itself. */
object Hardware {
    fun model(): String = known(if (Build.MODEL.startsWith(Build.MANUFACTURER, ignoreCase = true)) "" else Build.MANUFACTURER, Build.MODEL)

    fun cpu(): String = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) known(Build.SOC_MANUFACTURER, Build.SOC_MODEL) else Build.HARDWARE

    /** The words that say something; "unknown" where none does. */
    private fun known(vararg words: String): String =
        words.filter { it.isNotEmpty() && it != Build.UNKNOWN }.joinToString(" ").ifEmpty { Build.UNKNOWN }

    fun device(context: Context): Device {
        val memory = ActivityManager.MemoryInfo()
        (context.getSystemService(Context.ACTIVITY_SERVICE) as ActivityManager).getMemoryInfo(memory)
        return Device(
            model = model(),
            cpu = cpu(),
            architecture = System.getProperty("os.arch") ?: Build.SUPPORTED_ABIS.first(),
            cores = Runtime.getRuntime().availableProcessors(),
            os = "Android ${Build.VERSION.RELEASE}",
            memoryBytes = memory.totalMem.takeIf { it > 0 },
        )
    }
}
