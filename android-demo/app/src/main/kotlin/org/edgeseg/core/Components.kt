package org.edgeseg.core

/** Connected components of masks, and the rule that drops small ones: `edgeseg/components.py`, step by step. */
object Components {
    private const val BELOW_THRESHOLD = 1.0

    /** Gives each true pixel of [masks] the number of its component, and every component its size. */
    class Found(val owner: IntArray, val sizes: IntArray)

    /**
     * Joins the true pixels of [count] slices of [height] x [width]: by 26 neighbours where they are a volume, else by
     * the 8 within each slice.
     */
    fun find(masks: BooleanArray, count: Int, height: Int, width: Int, volume: Boolean): Found {
        val parent = IntArray(masks.size) { it }
        for (slice in 0 until count) for (y in 0 until height) for (x in 0 until width) {
            val at = (slice * height + y) * width + x
            if (!masks[at]) continue
            for (back in if (volume && slice > 0) -1..0 else 0..0) for (dy in -1..1) for (dx in -1..1) {
                if (back == 0 && (dy > 0 || dy == 0 && dx >= 0)) continue
                if (y + dy !in 0 until height || x + dx !in 0 until width) continue
                val other = ((slice + back) * height + y + dy) * width + x + dx
                if (masks[other]) join(parent, at, other)
            }
        }
        return number(masks, parent)
    }

    /** Puts the logits of components of one mask that are too small below its threshold, in place; all slices on the contract's grid. */
    fun drop(logits: List<FloatArray>, contract: Contract, volume: Boolean, mask: MaskRule = contract.masks.single()) {
        val rules = mask.postProcessing
        if (logits.isEmpty() || !rules.applies(volume)) return
        val threshold = mask.logitThreshold.toFloat()
        val dropped = (mask.logitThreshold - BELOW_THRESHOLD).toFloat()
        val grid = contract.height * contract.width
        val masks = BooleanArray(logits.size * grid) { logits[it / grid][it % grid] > threshold }
        val found = find(masks, logits.size, contract.height, contract.width, volume)
        val largest = found.sizes.maxOrNull() ?: 0
        val keep = BooleanArray(found.sizes.size) {
            val size = found.sizes[it]
            if (volume) size >= rules.minVolumePx && size >= rules.minShare * largest else size >= rules.minAreaPx
        }
        for (at in masks.indices) if (masks[at] && !keep[found.owner[at]]) logits[at / grid][at % grid] = dropped
    }

    private fun number(masks: BooleanArray, parent: IntArray): Found {
        val owner = IntArray(masks.size) { -1 }
        val sizes = ArrayList<Int>()
        for (at in masks.indices) {
            if (!masks[at]) continue
            val root = root(parent, at)
            if (owner[root] < 0) {
                owner[root] = sizes.size
                sizes += 0
            }
            owner[at] = owner[root]
            sizes[owner[at]]++
        }
        return Found(owner, sizes.toIntArray())
    }

    private fun join(parent: IntArray, a: Int, b: Int) {
        val (one, other) = root(parent, a) to root(parent, b)
        if (one < other) parent[other] = one else parent[one] = other
    }

    private fun root(parent: IntArray, node: Int): Int {
        var at = node
        while (parent[at] != at) {
            parent[at] = parent[parent[at]]
            at = parent[at]
        }
        return at
    }
}
