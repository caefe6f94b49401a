package org.edgeseg.core

import com.fasterxml.jackson.core.JacksonException
import com.fasterxml.jackson.core.JsonFactory
import com.fasterxml.jackson.core.JsonGenerator
import com.fasterxml.jackson.core.JsonParser
import com.fasterxml.jackson.core.JsonToken
import com.fasterxml.jackson.core.StreamReadConstraints
import com.fasterxml.jackson.core.StreamReadFeature
import com.fasterxml.jackson.core.exc.StreamConstraintsException
import com.fasterxml.jackson.core.io.JsonEOFException
import java.io.StringWriter

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

    fun reals(name: String): List<Double> = items(name).map { it as? Double ?: throw wrong(name, "a list of numbers") }

    fun wholeLists(name: String): List<List<Int>> = lists(name).map { row -> row.map { number(it, name) } }

    fun realLists(name: String): List<List<Double>> = lists(name).map { row -> row.map { it as? Double ?: throw wrong(name, "lists of numbers") } }

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

    private fun lists(name: String): List<List<*>> = items(name).map { it as? List<*> ?: throw wrong(name, "a list of lists") }

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

/** Reads and writes JSON (RFC 8259) with Jackson's streaming core; numbers are doubles, which hold every number that edgeseg writes. */
object Json {
    private const val MAX_DEPTH = 64
    private val factory = JsonFactory.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
        .build()

    /** Reads text whose outermost value is an object. */
    fun parse(text: String): JsonObject {
        val value = try {
            factory.createParser(text).use { parser ->
                if (parser.nextToken() == null) throw JsonException("not JSON: the text is empty")
                value(parser).also { if (parser.nextToken() != null) throw JsonException("not JSON: more text after the end") }
            }
        } catch (error: JacksonException) {
            throw JsonException("not JSON: ${problem(error)}")
        }
        @Suppress("UNCHECKED_CAST")
        return JsonObject(value as? Map<String, Any?> ?: throw JsonException("$: expected an object"), "$")
    }

    private fun problem(error: JacksonException): String = when (error) {
        is JsonEOFException -> "the text ends too early"
        is StreamConstraintsException -> "nested too deeply, or a name or a number is too long"
        else -> error.originalMessage
    } + error.location?.let { ", at line ${it.lineNr}, column ${it.columnNr}" }.orEmpty()

    private fun value(parser: JsonParser): Any? = when (parser.currentToken()) {
        JsonToken.START_OBJECT -> buildMap<String, Any?> {
            while (parser.nextToken() != JsonToken.END_OBJECT) put(parser.currentName(), parser.nextToken().let { value(parser) })
        }
        JsonToken.START_ARRAY -> buildList<Any?> { while (parser.nextToken() != JsonToken.END_ARRAY) add(value(parser)) }
        JsonToken.VALUE_STRING -> parser.text
        JsonToken.VALUE_NUMBER_INT, JsonToken.VALUE_NUMBER_FLOAT -> parser.doubleValue
        JsonToken.VALUE_TRUE, JsonToken.VALUE_FALSE -> parser.booleanValue
        else -> null
    }

    /** Writes maps, lists, strings, numbers, booleans and null, keys in the order of the map. */
    fun write(value: Any?): String = StringWriter().also { out ->
        factory.createGenerator(out).useDefaultPrettyPrinter().use { write(it, value) }
    }.append('\n').toString()

    private fun write(out: JsonGenerator, value: Any?) {
        when (value) {
            null -> out.writeNull()
            is Boolean -> out.writeBoolean(value)
            is Int -> out.writeNumber(value)
            is Long -> out.writeNumber(value)
            is Double -> {
                require(value.isFinite()) { "$value cannot be written as JSON" }
                out.writeNumber(value)
            }
            is String -> out.writeString(value)
            is Map<*, *> -> {
                out.writeStartObject()
                for ((name, item) in value) {
                    out.writeFieldName(name as String)
                    write(out, item)
                }
                out.writeEndObject()
            }
            is List<*> -> {
                out.writeStartArray()
                for (item in value) write(out, item)
                out.writeEndArray()
            }
            else -> throw IllegalArgumentException("${value.javaClass} does not belong in JSON")
        }
    }
}
