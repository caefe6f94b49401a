package org.edgeseg.core

/** A model with a field `trust` in its contract. */
object Trusted {
    /** What `trust.output` may hold. */
    const val OUTPUT = "{\"low\":0.3,\"middle\":0.5,\"high\":0.85,\"intercept\":1.9,\"features\":[" +
        "{\"name\":\"log_unsure_border\",\"weight\":-1.7,\"typical\":0.04},{\"name\":\"neighbours\",\"weight\":0.75,\"typical\":0.77}]," +
        "\"look_below\":0.7,\"volume_low\":2.2,\"volume_high\":1.1,\"coverage\":0.9,\"slope\":0.4,\"offset\":-0.6,\"threshold\":0.6," +
        "\"patients\":88,\"groups\":5,\"network\":\"alphax-0.125-half\",\"data\":\"kaggle-lgg\"}"

    /** Numbers by which borders are as a rule so narrow that those of a phantom are to be looked at. */
    val DOUBTED = OUTPUT.replace("\"typical\":0.04", "\"typical\":-0.9")

    /** What `trust.input` may hold. */
    const val INPUT = "{\"features\":[0,14],\"typical\":[0.7,0.2],\"spread\":[0.1,0.3],\"signs\":[\"swapped 0 2\",\"blurred\"],\"on\":[[0,1],[1]]," +
        "\"weights\":[[0.5,-0.2],[0.9]],\"bias\":[-0.5,-0.6],\"patients\":66,\"data\":\"kaggle-lgg\"}"

    /** A slice with others of its channels in their places. */
    fun channels(slice: Slice, vararg from: Int) =
        Slice(slice.name, slice.height, slice.width, ByteArray(slice.bytes.size) { slice.bytes[it / slice.channels * slice.channels + from[it % slice.channels]] }, slice.channels)

    /** A case whose first two sequences are exchanged. */
    fun exchanged(case: Volume) = Volume("exchanged", case.slices.map { channels(it, 1, 0, 2) }, null, whole = true)

    /** A contract's line with this `trust` as its last field, in the place of some of the spaces behind it. */
    fun line(line: String, trust: String): String {
        val fresh = line.trimEnd().replace(Regex(",\"trust\":\\{.*\\}(?=\\}$)"), "")
            .replace(Regex("\"seen_patients\":\\[[^]]*\\]"), "\"seen_patients\":[]").replace(Regex("\"schema_version\":\\d"), "\"schema_version\":4")
        return (fresh.dropLast(1) + ",\"trust\":$trust}").padEnd(line.length)
    }

    /** The model with such a contract, sealed anew. */
    fun model(model: ByteArray, trust: String = "{\"output\":$OUTPUT}"): ByteArray {
        val line = Regex("\\{\"variant\":[^\u0000-\u001f]*\\} *").find(model.toString(Charsets.ISO_8859_1))!!.value
        return Files.sealed(Files.replaced(model, line, line(line, trust)))
    }
}
