package org.edgeseg.demo

import android.os.Bundle
import android.widget.LinearLayout
import android.widget.TextView
import org.edgeseg.core.PostProcessing

/** What the model is, what it takes and draws, and under which licences all this is. */
class AboutActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        open(R.layout.page, getString(R.string.about_title))
        show()
    }

    override fun show() {
        val columns = columns()
        val ready = app.model as? ModelState.Ready ?: return
        val contract = ready.segmenter.contract
        val model = card(columns, R.string.about_model)
        pair(model, R.string.about_network, contract.variant)
        pair(model, R.string.about_target, contract.target)
        pair(model, R.string.about_size, "${decimal(ready.bundle.model.sizeBytes / KILO, 0)} kB")
        pair(model, R.string.results_runtime, ready.segmenter.engine.runtime)
        pair(model, R.string.about_trained, contract.trainedOn)
        pair(model, R.string.about_calibrated, contract.calibratedOn ?: getString(R.string.value_none))
        pair(model, R.string.about_patients, contract.seenPatients.size.toString())
        pair(model, R.string.about_licence, contract.licence ?: getString(R.string.value_none))
        pair(model, R.string.about_hash, ready.bundle.model.sha256)
        val side = LinearLayout(this).apply { orientation = LinearLayout.VERTICAL }
        columns.addView(side, LinearLayout.LayoutParams(if (columns.orientation == LinearLayout.HORIZONTAL) 0 else LinearLayout.LayoutParams.MATCH_PARENT, LinearLayout.LayoutParams.WRAP_CONTENT, 1f))
        val terms = card(side, R.string.about_contract)
        pair(terms, R.string.about_input, getString(R.string.about_input_value, contract.width, contract.height, contract.channels.joinToString()))
        pair(terms, R.string.about_normalisation, contract.normalisation)
        pair(terms, R.string.about_gives, if (contract.exclusive) getString(R.string.about_exclusive, contract.output) else contract.output)
        for (rule in contract.masks) {
            rule.name?.let { pair(terms, R.string.about_mask, getString(R.string.about_mask_value, it, rule.label)) }
            pair(terms, R.string.about_threshold, rule.threshold.toString())
            pair(terms, R.string.about_post, dropped(rule.postProcessing))
            rule.trust?.run { pair(terms, R.string.about_trust, getString(R.string.about_trust_value, patients, data, TrustWords.percent(coverage), decimal(lookBelow, 2))) }
        }
        contract.trust?.input?.run { pair(terms, R.string.about_look, getString(R.string.about_look_value, signs.size, patients, data)) }
        pair(terms, R.string.about_seal, getString(if (contract.contentSha256 != null && contract.contractSha256 != null) R.string.about_sealed else R.string.about_unsealed))
        pair(terms, R.string.about_made, ready.bundle.madeWith)
        val licences = card(side, R.string.about_licences)
        for (text in listOf(contract.intendedUse, getString(R.string.about_privacy), getString(R.string.about_licences_text))) {
            val view = TextView(this, null, 0, R.style.Body)
            view.text = text
            view.setPadding(0, dp(6), 0, dp(6))
            licences.addView(view)
        }
    }

    /** The rules that are on, one per line. */
    private fun dropped(rules: PostProcessing): String = listOfNotNull(
        rules.minVolumePx.takeIf { it > 0 }?.let { getString(R.string.about_post_voxels, it) },
        rules.minShare.takeIf { it > 0 }?.let { getString(R.string.about_post_share, decimal(100 * it, 1)) },
        rules.minAreaPx.takeIf { it > 0 }?.let { getString(R.string.about_post_pixels, it) },
    ).joinToString("\n").ifEmpty { getString(R.string.about_post_none) }

    private companion object {
        const val KILO = 1000.0
    }
}
