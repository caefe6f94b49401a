package org.edgeseg.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** JSON is taken strictly, and what is wrong with it is told in one line. */
class JsonTest {
    private fun refused(text: String, vararg says: String, read: (JsonObject) -> Unit = {}) {
        val error = assertThrows(text.take(80), JsonException::class.java) { read(Json.parse(text)) }
        for (part in says) assertTrue(error.message, part in error.message!!)
        assertFalse(error.message, '\n' in error.message!!)
    }

    @Test
    fun `what is there is read`() {
        val json = Json.parse("""{"a": [1, -2.5e1], "b": {"c": "\u00e9\n", "n": 3.0}, "d": null, "e": true} """)
        assertEquals("é\n", json.obj("b").text("c"))
        assertEquals(3, json.obj("b").whole("n"))
        assertEquals(null, json.textOrNull("d"))
        assertTrue(json.flag("e"))
        assertEquals(setOf("a", "b", "d", "e"), json.names)
    }

    @Test
    fun `a key that stands twice is refused, at any depth and however it is written`() {
        for (bad in listOf("{\"a\":1,\"a\":1}", "{\"o\":{\"a\":1,\"a\":2}}", "{\"l\":[{\"a\":1,\"a\":2}]}", "{\"a\":1,\"\\u0061\":2}")) {
            refused(bad, "Duplicate field 'a'", "at line 1, column")
        }
    }

    @Test
    fun `deep nesting is refused before it can fill the stack`() {
        assertEquals(1, Json.parse("{\"a\":1,\"l\":${"[".repeat(63)}${"]".repeat(63)}}").whole("a"))
        for (depth in listOf(64, 100_000)) {
            refused("{\"l\":${"[".repeat(depth)}${"]".repeat(depth)}}", "nested too deeply")
            refused("{\"o\":".repeat(depth + 1) + "1" + "}".repeat(depth + 1), "nested too deeply")
        }
    }

    @Test
    fun `text that is cut short is refused`() {
        val whole = """{"a": [1, {"b": "c"}], "d": true}"""
        refused("", "empty")
        for (end in 1 until whole.length) refused(whole.take(end), "not JSON")
        refused("{\"a\":", "ends too early")
    }

    @Test
    fun `what only lenient readers take is refused`() {
        val values = listOf("01", "+1", "1.", ".5", "0x1p3", "1d", "NaN", "Infinity", "tru", "x", "'x'", "\"\u0001\"", "\"a\nb\"", "\"\\q\"", "\"\\'\"", "\"\\u12x4\"")
        for (value in values) refused("{\"a\":$value}", "not JSON")
        for (bad in listOf("{'a':1}", "{a:1}", "{\"a\":1,}", "{\"a\":[1,]}", "{\"a\":1 /* */}", "{\"a\":1} x", "{\"a\":1}{}", "\uFEFF{\"a\":1}")) refused(bad, "not JSON")
        for (bad in listOf("[1]", "1", "null", "\"a\"")) refused(bad, "$: expected an object")
    }

    @Test
    fun `fields that are missing, mistyped or left over are told by name`() {
        refused("{\"o\":{}}", "$.o: missing key 'a'") { it.obj("o").whole("a") }
        for (value in listOf("\"1\"", "1.5", "3000000000", "null", "true", "{}", "[1]")) refused("{\"a\":$value}", "$.a: expected a whole number") { it.whole("a") }
        refused("{\"a\":\"1.5\"}", "$.a: expected a number") { it.real("a") }
        refused("{\"a\":5}", "$.a: expected a string") { it.text("a") }
        refused("{\"a\":\"true\"}", "$.a: expected true or false") { it.flag("a") }
        refused("{\"l\":[{},{\"a\":[]}]}", "$.l[1].a: expected a string") { it.objects("l")[1].text("a") }
        refused("{\"a\":1,\"z\":1}", "$: unknown key 'z'") { json -> json.whole("a").also { json.requireAllTaken() } }
    }

    @Test
    fun `what is written is read back`() {
        val text = Json.write(linkedMapOf("t" to "a\"\\\n\u0001é", "n" to null, "b" to true, "i" to 7, "l" to Long.MAX_VALUE, "d" to 0.1, "e" to emptyList<Any>(), "s" to listOf("x")))
        val json = Json.parse(text)
        assertEquals("a\"\\\n\u0001é" to 0.1, json.text("t") to json.real("d"))
        assertEquals(listOf("x"), json.texts("s"))
        assertTrue(text, "7," in text && "7.0" !in text)
        assertThrows(IllegalArgumentException::class.java) { Json.write(mapOf("a" to Double.NaN)) }
    }
}
