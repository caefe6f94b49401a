"""The contract of a Vertex AI custom container: `instances` in, `predictions` out, pictures in base64.

See https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from edgeseg.service.body import read_wish
from edgeseg.service.refusal import BAD_REQUEST, TOO_LARGE, UNUSABLE, Refusal
from edgeseg.service.scans import Upload, Wish
from edgeseg.specs import ServeOptions

MASKS = ("png", "rle", "none")
_RULE = (
    'the body is {"instances": [{"b64": "..."}, ...], "parameters": {"masks": "png", "volume": false, "spacing": '
    '"0.94,0.94,5"}}; each instance is one slice as PNG, TIFF or JPEG in base64, and parameters may be left out'
)


def read_instances(body: bytes, options: ServeOptions) -> tuple[Upload, Wish]:
    """Read a request.

    Raises:
        Refusal: when it is not JSON, not of that shape, or has too many slices.
    """
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(BAD_REQUEST, f"the body is not JSON; {_RULE}") from error
    if not isinstance(plain, dict) or not set(plain) <= {"instances", "parameters"}:
        raise Refusal(UNUSABLE, _RULE)
    instances = plain.get("instances")
    if not isinstance(instances, list) or not instances:
        raise Refusal(UNUSABLE, f"there are no instances; {_RULE}")
    if len(instances) > options.max_slices:
        raise Refusal(TOO_LARGE, f"{len(instances)} instances were sent and at most {options.max_slices} are taken")
    slices = tuple(_decoded(one, number) for number, one in enumerate(instances, 1))
    return Upload(slices=slices), _wish(plain.get("parameters"))


def _decoded(instance: Any, number: int) -> bytes:
    text = instance.get("b64") if isinstance(instance, dict) and set(instance) == {"b64"} else None
    if not isinstance(text, str):
        raise Refusal(UNUSABLE, f"instance {number} is no slice; {_RULE}")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(UNUSABLE, f"instance {number} is not base64; {_RULE}") from error


def _wish(parameters: Any) -> Wish:
    given = {} if parameters is None else parameters
    if not isinstance(given, dict) or not set(given) <= {"masks", "volume", "spacing"}:
        raise Refusal(UNUSABLE, f"the parameters are not known; {_RULE}")
    masks, volume, spacing = given.get("masks", "png"), given.get("volume", False), given.get("spacing")
    if masks not in MASKS or not isinstance(volume, bool) or not isinstance(spacing, str | None):
        raise Refusal(UNUSABLE, f"a parameter has a value that is not known; masks are {', '.join(MASKS)}; {_RULE}")
    return read_wish(masks, volume=volume, spacing=spacing)
