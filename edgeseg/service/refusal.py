"""The one way in which a request is turned down."""

from __future__ import annotations

import re

from edgeseg.errors import DataError, EdgeSegError, LimitError, MissingExtraError, OptionError, UnknownNameError

BAD_REQUEST, NO_TOKEN, FOREIGN, TOO_SLOW, TOO_LARGE, WRONG_TYPE, UNUSABLE = 400, 401, 403, 408, 413, 415, 422
TOO_MANY, UNAVAILABLE = 429, 503
REFUSALS = {
    BAD_REQUEST: "the body is not what its type says",
    NO_TOKEN: "the service asks for a token, and the request has none or another",
    FOREIGN: "it came by a name that is not the service's, or from a web page of another origin",
    TOO_SLOW: "the body did not arrive in time",
    TOO_LARGE: "the body, or what is packed in it, is too large",
    WRONG_TYPE: "the type of the body is not taken",
    UNUSABLE: "what was sent cannot be segmented",
    TOO_MANY: "too many requests are under way; try again after the seconds in Retry-After",
    UNAVAILABLE: "it took too long, or the service cannot work at the moment",
}
_LET_GO = (FOREIGN, TOO_SLOW)
"""After these a connection is closed: who sends slowly, or should not ask at all, would keep it open for nothing."""
_RETRY_S = {TOO_MANY: 1, UNAVAILABLE: 5}


class Refusal(Exception):  # noqa: N818 (it is an answer, not a fault)
    """A status and one line of text that names no file, folder or patient."""

    def __init__(self, status: int, text: str) -> None:
        """Say what was given, what the rule is, and what to do."""
        super().__init__(text)
        self.status, self.text = status, text

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, where that helps, what to bring, and whether the connection ends."""
        if self.status in _LET_GO:
            return {"Connection": "close"}
        if self.status == NO_TOKEN:
            return {"WWW-Authenticate": 'Bearer realm="edgeseg"'}
        return {"Retry-After": str(_RETRY_S[self.status])} if self.status in _RETRY_S else {}


def refusal_for(error: EdgeSegError, hidden: str = "") -> Refusal:
    """Turn an error of the runner into a refusal; `hidden` is a folder whose name is left out of the text."""
    text = str(error).replace(f"{hidden}/", "").replace(hidden, "the upload") if hidden else str(error)
    text = re.sub(r"--(\S+)-series", r"\1_series", text)
    if isinstance(error, MissingExtraError):
        return Refusal(WRONG_TYPE, f"this service was installed without it: {text}")
    if isinstance(error, LimitError):
        return Refusal(TOO_LARGE, text)
    if isinstance(error, (DataError, OptionError, UnknownNameError)):
        return Refusal(UNUSABLE, text)
    return Refusal(UNAVAILABLE, "the model or its host failed; the operator finds more in the log")
