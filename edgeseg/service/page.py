"""What the routes take, in OpenAPI's words, and the page that shows it: plain HTML that loads nothing else."""

from __future__ import annotations

from html import escape
from typing import Any

from edgeseg.service.body import FORM, PICTURES, SLICES, STUDY
from edgeseg.service.vertex import MASKS
from edgeseg.specs import INTENDED_USE, ChannelSet

_FILE = {"type": "string", "format": "binary"}


def segment_extra(channels: ChannelSet) -> dict[str, Any]:
    """Describe what `/v1/segment` takes beside its fixed queries: a body, and a series for each channel."""
    series = [
        {
            "name": f"{name}_series",
            "in": "query",
            "required": False,
            "schema": {"type": "string"},
            "description": f"Number, UID or description of the series to take for {name} from a DICOM study.",
        }
        for name in channels.names
    ]
    return {"parameters": series, "requestBody": _segment_body(channels)}


def _segment_body(channels: ChannelSet) -> dict[str, Any]:
    count = len(channels.pictured.names)
    told = f"{count} 8-bit channel{'s' * (count > 1)}"
    return {
        "required": True,
        "content": {
            **{kind: {"schema": _FILE} for kind in PICTURES},
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {
                        SLICES: {
                            "type": "array",
                            "items": _FILE,
                            "description": f"pictures of {told}",
                        },
                        **{name: {**_FILE, "description": "one NIfTI file"} for name in channels.names},
                        STUDY: {**_FILE, "description": "a zip of one DICOM study"},
                    },
                    "additionalProperties": False,
                }
            },
        },
    }


PREDICT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["instances"],
                "additionalProperties": False,
                "properties": {
                    "instances": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["b64"],
                            "additionalProperties": False,
                            "properties": {
                                "b64": {
                                    "type": "string",
                                    "contentEncoding": "base64",
                                    "description": "one slice as PNG, TIFF or JPEG",
                                }
                            },
                        },
                    },
                    "parameters": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "masks": {"type": "string", "enum": list(MASKS), "default": "png"},
                            "volume": {"type": "boolean", "default": False},
                            "spacing": {"type": "string"},
                        },
                    },
                },
            }
        }
    },
}

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222;"
    "background:#fff}"
    "table{border-collapse:collapse;margin:.5rem 0}td{border-top:1px solid #ccc;padding:.2rem .8rem .2rem 0;"
    "vertical-align:top}code{font-size:.95em}h2{margin-top:2rem}"
)


def draw(schema: dict[str, Any]) -> str:
    """Draw an OpenAPI description as one page without scripts."""
    parts = [
        f"<h1>{escape(schema['info']['title'])} {escape(schema['info']['version'])}</h1>",
        f"<p><strong>{escape(INTENDED_USE)}</strong></p>",
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>',
    ]
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            parts += [f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>", *_operation(told)]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>edgeseg</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _operation(told: dict[str, Any]) -> list[str]:
    parts = [f"<p>{escape(told.get('description', ''))}</p>"]
    if parameters := told.get("parameters"):
        rows = [(one["name"], _values(one["schema"]), one.get("description", "")) for one in parameters]
        parts += ["<h3>Query</h3>", _table(rows)]
    if content := told.get("requestBody", {}).get("content"):
        rows = [(kind, "", _fields(one["schema"])) for kind, one in content.items()]
        parts += ["<h3>Body</h3>", _table(rows)]
    answers = [(status, "", one["description"]) for status, one in sorted(told["responses"].items())]
    return [*parts, "<h3>Answers</h3>", _table(answers)]


def _fields(schema: dict[str, Any]) -> str:
    fields = schema.get("properties", {})
    return "; ".join(f"{name}: {one.get('description') or _values(one) or one['type']}" for name, one in fields.items())


def _values(schema: dict[str, Any]) -> str:
    """Say what a value may be, and what it is when left out."""
    kinds = schema.get("enum") or [one.get("type", "") for one in schema.get("anyOf", [schema])]
    default = schema.get("default")
    told = " or ".join(str(kind) for kind in kinds if kind and kind != "null")
    return told if default is None else f"{told} ({str(default).lower()})"


def _table(rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(a)}</code></td>{f'<td>{escape(b)}</td>' if b else ''}<td>{escape(c)}</td></tr>"
        for a, b, c in rows
    )
    return f"<table>{cells}</table>"
