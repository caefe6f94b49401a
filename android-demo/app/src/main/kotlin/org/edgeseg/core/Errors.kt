package org.edgeseg.core

/** Something that was given cannot be used; the message says what, the rule, and what to do. */
open class EdgeSegException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** JSON that is not JSON, or has not the shape that was asked for; the message holds the path of the field. */
class JsonException(message: String) : EdgeSegException(message)

/** A model without a contract, or with one that cannot be honoured. */
class ContractException(message: String, cause: Throwable? = null) : EdgeSegException(message, cause)

/** A model file, or another file of the bundle, that is damaged or was mixed up. */
class ArtifactException(message: String, cause: Throwable? = null) : EdgeSegException(message, cause)

/** Slices that are not those of a patient: another type, sizes that differ, a gap in their numbers. */
class SliceException(message: String, cause: Throwable? = null) : EdgeSegException(message, cause)

/** The first line of what another library says, for use inside a message. */
fun oneLine(error: Throwable): String = (error.message ?: error.javaClass.simpleName).lineSequence().first().take(160)
