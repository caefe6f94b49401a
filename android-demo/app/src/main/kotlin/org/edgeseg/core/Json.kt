package org.edgeseg.core

/** A JSON object whose fields are taken one by one, so that missing, mistyped and left-over ones are told by name. */
class JsonObject(private val fields: Map<String, Any?>, val path: String) {
    private val taken = HashSet<String>()

    val names: Set<String> get() = fields.keys

    fun has(name: String): Boolean = name in fields

    fun text(name: String): String = take(name, "a string")

    fun whole(name: String): Int {
        val number = take<Double>(name, "a whole number")
        if (number != Math.rint(number) || Math.abs(number) > Int.MAX_VALUE) throw wrong(name, "a whole number")
        return number.toInt()
    }

    fun real(name: String): Double = take(name, "a number")

    fun flag(name: String): Boolean = take(name, "true or false")

    fun textOrNull(name: String): String? = if (isNull(name)) null else text(name)

    fun obj(name: String): JsonObject = JsonObject(take(name, "an object"), "$path.$name")

    fun objOrNull(name: String): JsonObject? = if (isNull(name)) null else obj(name)

    fun texts(name: String): List<String> = items(name).map { it as? String ?: throw wrong(name, "a list of strings") }

    fun objects(name: String): List<JsonObject> = items(name).mapIndexed { index, item ->
        @Suppress("UNCHECKED_CAST")
        JsonObject(item as? Map<String, Any?> ?: throw wrong(name, "a list of objects"), "$path.$name[$index]")
    }

    fun wholes(name: String): List<Int> = items(name).map { number(it, name) }

    fun wholeLists(name: String): List<List<Int>> = items(name).map { row ->
        (row as? List<*> ?: throw wrong(name, "a list of lists")).map { number(it, name) }
    }

    /** Refuses fields that nobody took. */
    fun requireAllTaken() {
        val left = (fields.keys - taken).minOrNull() ?: return
        throw JsonException("$path: unknown key '$left'")
    }

    private fun number(item: Any?, name: String): Int {
        val value = item as? Double ?: throw wrong(name, "whole numbers")
        if (value != Math.rint(value) || Math.abs(value) > Int.MAX_VALUE) throw wrong(name, "whole numbers")
        return value.toInt()
    }

    private fun items(name: String): List<*> = take(name, "a list")

    private fun isNull(name: String): Boolean {
        taken += name
        return fields[name] == null
    }

    private inline fun <reified T> take(name: String, wanted: String): T {
        taken += name
        if (name !in fields) throw JsonException("$path: missing key '$name'")
        return fields[name] as? T ?: throw wrong(name, wanted)
    }

    private fun wrong(name: String, wanted: String) = JsonException("$path.$name: expected $wanted")
}

/** Reads and writes JSON (RFC 8259); numbers are doubles, which hold every number that edgeseg writes. */
object Json {
    private const val MAX_DEPTH = 64

    /** Reads text whose outermost value is an object. */
    fun parse(text: String): JsonObject {
        val reader = Reader(text)
        val value = reader.document()
        @Suppress("UNCHECKED_CAST")
        return JsonObject(value as? Map<String, Any?> ?: throw JsonException("$: expected an object"), "$")
    }

    /** Writes maps, lists, strings, numbers, booleans and null, keys in the order of the map. */
    fun write(value: Any?): String = StringBuilder().also { append(it, value, "") }.append('\n').toString()

    private fun append(out: StringBuilder, value: Any?, indent: String) {
        when (value) {
            null, is Boolean, is Int, is Long -> out.append(value)
            is Double -> {
                require(value.isFinite()) { "$value cannot be written as JSON" }
                out.append(value)
            }
            is String -> quote(out, value)
            is Map<*, *> -> block(out, value.entries, indent, '{', '}') {
                quote(out, it.key as String)
                out.append(": ")
                append(out, it.value, "$indent  ")
            }
            is List<*> -> block(out, value, indent, '[', ']') { append(out, it, "$indent  ") }
            else -> throw IllegalArgumentException("${value.javaClass} does not belong in JSON")
        }
    }

    private fun <T> block(out: StringBuilder, items: Collection<T>, indent: String, open: Char, close: Char, each: (T) -> Unit) {
        out.append(open)
        items.forEachIndexed { index, item ->
            out.append(if (index == 0) "\n" else ",\n").append(indent).append("  ")
            each(item)
        }
        if (items.isNotEmpty()) out.append('\n').append(indent)
        out.append(close)
    }

    private fun quote(out: StringBuilder, text: String) {
        out.append('"')
        for (char in text) {
            when {
                char == '"' || char == '\\' -> out.append('\\').append(char)
                char < ' ' -> out.append(String.format(java.util.Locale.ROOT, "\\u%04x", char.code))
                else -> out.append(char)
            }
        }
        out.append('"')
    }

    private class Reader(private val text: String) {
        private var at = 0

        fun document(): Any? {
            val value = value(0)
            space()
            if (at < text.length) fail("more text after the end")
            return value
        }

        private fun value(depth: Int): Any? {
            if (depth > MAX_DEPTH) fail("nested too deeply")
            space()
            return when (peek()) {
                '{' -> obj(depth)
                '[' -> list(depth)
                '"' -> string()
                't' -> word("true", true)
                'f' -> word("false", false)
                'n' -> word("null", null)
                else -> number()
            }
        }

        private fun obj(depth: Int): Map<String, Any?> {
            val fields = LinkedHashMap<String, Any?>()
            at++
            space()
            if (peek() == '}') return fields.also { at++ }
            while (true) {
                space()
                val name = string()
                space()
                expect(':')
                if (name in fields) fail("the key '$name' stands twice")
                fields[name] = value(depth + 1)
                space()
                if (peek() == '}') return fields.also { at++ }
                expect(',')
            }
        }

        private fun list(depth: Int): List<Any?> {
            val items = ArrayList<Any?>()
            at++
            space()
            if (peek() == ']') return items.also { at++ }
            while (true) {
                items += value(depth + 1)
                space()
                if (peek() == ']') return items.also { at++ }
                expect(',')
            }
        }

        private fun string(): String {
            expect('"')
            val out = StringBuilder()
            while (true) {
                val char = peek()
                at++
                when {
                    char == '"' -> return out.toString()
                    char == '\\' -> out.append(escape())
                    char < ' ' -> fail("a control character in a string")
                    else -> out.append(char)
                }
            }
        }

        private fun escape(): Char {
            val char = peek()
            at++
            return when (char) {
                '"', '\\', '/' -> char
                'b' -> '\b'
                'f' -> '\u000c'
                'n' -> '\n'
                'r' -> '\r'
                't' -> '\t'
                'u' -> {
                    val digits = text.substring(at, minOf(at + 4, text.length))
                    at += 4
                    val code = if (digits.length == 4 && digits.none { it == '+' || it == '-' }) digits.toIntOrNull(16) else null
                    (code ?: fail("a broken \\u escape")).toChar()
                }
                else -> fail("an unknown escape")
            }
        }

        private fun number(): Double {
            val found = NUMBER.matchAt(text, at) ?: fail("not a value")
            at += found.value.length
            return found.value.toDouble()
        }

        private fun word(word: String, value: Any?): Any? {
            if (!text.startsWith(word, at)) fail("not a value")
            at += word.length
            return value
        }

        private fun peek(): Char = if (at < text.length) text[at] else fail("the text ends too early")

        private fun expect(char: Char) {
            if (peek() != char) fail("'$char' is missing")
            at++
        }

        private fun space() {
            while (at < text.length && text[at] in " \t\r\n") at++
        }

        private fun fail(what: String): Nothing = throw JsonException("not JSON: $what, at character ${at + 1}")
    }

    private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
}
