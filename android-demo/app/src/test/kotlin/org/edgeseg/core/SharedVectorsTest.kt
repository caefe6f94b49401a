package org.edgeseg.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** `tests/golden/` of the repository, which every runner is held to: slices, what the shipped network draws on them, and its steps. */
class SharedVectorsTest {
    private val folder = File("../tests/golden")
    private val json = Json.parse(File(folder, "golden.json").readText())
    private val slices = json.objects("slices").map { Files.decode(it.text("file"), File(folder, it.text("file")).readBytes()) }

    @Test
    fun `float masks equal Python's in every pixel`() {
        val flips = Segmenter(Engine(Files.floatBundle().modelBytes())).use { flips(it) }
        assertEquals(flips.keys.associateWith { 0 }, flips)
    }

    @Test
    fun `int8 masks equal Arm's within what the contract allows`() {
        Segmenter(Engine(Files.bundle().modelBytes(), Files.int8Options())).use { segmenter ->
            for ((masks, flips) in flips(segmenter)) {
                val allowed = segmenter.contract.allowedFlips(slices.size * segmenter.contract.height * segmenter.contract.width)
                println("$masks: $flips flips of $allowed allowed (${segmenter.engine.numerics})")
                assertTrue("$masks: $flips flips", flips <= allowed)
            }
        }
    }

    /** By the name of the masks, on how many pixels those drawn here differ. */
    private fun flips(segmenter: Segmenter): Map<String, Int> {
        val contract = segmenter.contract
        val expected = json.objects("artifacts").first { it.text("target") == contract.target }
        assertEquals(expected.real("threshold"), contract.threshold, 0.0)
        val threshold = contract.logitThreshold.toFloat()
        val logits = slices.map { segmenter.logits(it) }
        val largest = logits.map { it.copyOf() }
        Components.drop(largest, contract.copy(postProcessing = PostProcessing(0, 0, 1.0)), volume = true)
        val found = mapOf(
            "raw" to logits.map { one -> BooleanArray(one.size) { one[it] > threshold } },
            "lone_slices" to segmenter.segment(Volume("", slices, null, whole = false)).masks,
            "volume" to segmenter.segment(Volume("", slices, null, whole = true)).masks,
            "volume_largest_only" to largest.map { one -> BooleanArray(one.size) { one[it] > threshold } },
            "half_size" to slices.map { half(it) }.map { small ->
                val own = FloatArray(small.height * small.width)
                Resampler(contract.height, contract.width, small.height, small.width).floats(segmenter.logits(small), own)
                BooleanArray(own.size) { own[it] > threshold }
            },
        )
        return found.mapValues { (name, masks) ->
            val wanted = expected.objects(name)
            assertEquals(slices.size, wanted.size)
            masks.zip(wanted).sumOf { (mask, one) -> Runs.flips(mask, Runs.decode(one.text("runs"), one.whole("height") * one.whole("width"))) }
        }
    }

    /** Every bit of what the bytes become, and their codes; planes lie one after another here. */
    private fun tablesEqual(vector: JsonObject, contract: Contract) {
        val told = vector.objOrNull("intensity")?.run {
            Intensity(
                text("over"), text("pixels"), flag("zero_stays"), flag("together"), real("low"), real("high"), text("then"),
                reals("mean"), reals("std"),
            )
        }
        val small = contract.copy(normalisation = vector.text("normalisation"), scale = vector.real("scale"), intensity = told)
        val counts = Normaliser.counts(small)
        for (slice in vector.wholeLists("slices")) {
            val channels = counts.size
            val grid = slice.size / channels
            Normaliser.count(ByteArray(slice.size) { slice[it % grid * channels + it / grid].toByte() }, counts)
        }
        val tables = Normaliser.tables(small, counts)
        val levels = vector.wholes("levels")
        val name = "${small.normalisation} $told"
        assertEquals(name, vector.wholeLists("float_bits"), tables.map { table -> levels.map { table[it].toRawBits() } })
        val codes = tables.map { Engine.codes(it, vector.real("code_scale"), vector.whole("code_zero_point")) }
        assertEquals(name, vector.wholeLists("codes"), codes.map { code -> levels.map { code[it].toInt() } })
    }

    private fun half(slice: Slice): Slice {
        val (height, width) = slice.height / 2 to slice.width / 2
        return Slice(slice.name, height, width, ByteArray(height * width * 3) {
            val (pixel, channel) = it / 3 to it % 3
            slice.bytes[((pixel / width * 2) * slice.width + pixel % width * 2) * 3 + channel]
        })
    }

    @Test
    fun `the steps around the network are Python's, number by number`() {
        val units = Json.parse(File(folder, "units.json").readText())
        val contract = Engine(Files.bundle().modelBytes(), Files.int8Options()).use { it.contract }
        for (vector in units.objects("resampled")) {
            val (height, width) = vector.whole("network_height") to vector.whole("network_width")
            val image = vector.wholes("image").map { it.toByte() }.toByteArray()
            val small = contract.copy(height = height, width = width, normalisation = vector.text("normalisation"))
            val planes = Preparer(small).prepare(Slice("", vector.whole("height"), vector.whole("width"), image))
            val wanted = vector.wholes("network_input").map { it.toByte() }
            assertArrayEquals(ByteArray(planes.size) { wanted[it % (height * width) * 3 + it / (height * width)] }, planes)
        }
        for (vector in units.objects("tables")) tablesEqual(vector, contract)
        for (vector in units.objects("components")) {
            val (height, width) = vector.whole("height") to vector.whole("width")
            val rule = vector.obj("rule").run { PostProcessing(whole("min_area_px"), whole("min_volume_px"), real("min_share")) }
            val masks = vector.texts("runs").map { Runs.decode(it, height * width) }
            val logits = masks.map { mask -> FloatArray(mask.size) { if (mask[it]) 9f else -9f } }
            val small = contract.copy(height = height, width = width, postProcessing = rule)
            val volume = vector.flag("volume")
            if (volume) Components.drop(logits, small, true) else for (one in logits) Components.drop(listOf(one), small, false)
            val kept = vector.texts("kept").map { Runs.decode(it, height * width) }
            logits.zip(kept).forEach { (one, wanted) -> assertArrayEquals(wanted, BooleanArray(one.size) { one[it] > contract.logitThreshold }) }
        }
    }
}
