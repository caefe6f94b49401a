package org.edgeseg.demo

import android.app.Activity
import android.app.AlertDialog
import android.content.ClipData
import android.content.Intent
import org.edgeseg.core.MaskFiles

/** Sends the masks of a case, as they are shown, through the system's share sheet. */
object Sharing {
    /** Asks for the format where there is a choice, and sends. */
    fun masks(activity: Activity, app: DemoApp, study: Study, failed: (String) -> Unit) {
        if (study.volume.source == null) return send(activity, app, study, false, failed)
        val formats = arrayOf(activity.getString(R.string.share_nifti), activity.getString(R.string.share_png))
        AlertDialog.Builder(activity).setTitle(R.string.share_masks).setItems(formats) { _, which -> send(activity, app, study, which == 0, failed) }.show()
    }

    private fun send(activity: Activity, app: DemoApp, study: Study, nifti: Boolean, failed: (String) -> Unit) {
        val found = study.shown ?: return
        val name = "${study.volume.name}_masks.${if (nifti) "nii.gz" else "zip"}"
        app.inBackground(
            { (if (nifti) MaskFiles.nifti(study.volume, found, study.rules)!! else MaskFiles.pictures(study.volume, found, study.rules)).let { SharedFiles.put(activity, name, it) } },
            { uri ->
                val send = Intent(Intent.ACTION_SEND).setType(SharedFiles.type(name)).putExtra(Intent.EXTRA_STREAM, uri).addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
                send.clipData = ClipData.newRawUri(null, uri)
                activity.startActivity(Intent.createChooser(send, activity.getString(R.string.share_masks)))
            },
            failed,
        )
    }
}
