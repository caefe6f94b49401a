"""The routes."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from edgeseg import __version__
from edgeseg.results import ErrorAnswer, PredictAnswer, SegmentAnswer
from edgeseg.service.answers import predictions
from edgeseg.service.body import read_upload, read_wish
from edgeseg.service.engine import Engine
from edgeseg.service.gate import BEGIN, FAULT, TICKET, Gate, Ticket
from edgeseg.service.health import add_health, add_metrics, as_json
from edgeseg.service.metrics import Metrics
from edgeseg.service.page import PREDICT_BODY, draw, segment_extra
from edgeseg.service.refusal import BAD_REQUEST, REFUSALS, UNUSABLE, WRONG_TYPE, Refusal
from edgeseg.service.scans import Upload, Wish
from edgeseg.service.vertex import read_instances
from edgeseg.specs import INTENDED_USE, SEGMENT_ROUTE, ServeOptions

Masks = Literal["png", "rle", "none", "nifti", "dicom-seg"]
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": text} for status, text in REFUSALS.items()
}

_TEXTS = {
    404: "there is no such route; /docs lists them",
    405: "this route is not called that way; see /docs",
    500: FAULT,
}


def create_app(engine: Engine, options: ServeOptions) -> Gate:
    """Make the application: an engine behind routes, and those behind a gate."""
    api = FastAPI(
        title="edgeseg",
        version=__version__,
        description=f"Brain-tumour segmentation of MRI slices. {INTENDED_USE}",
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics(engine.model) if options.metrics else None
    gate = Gate(api, options, metrics)
    add_health(api, gate, engine, options)
    if metrics is not None:
        add_metrics(api, metrics)
    _add_docs(api)
    _add_segment(api, engine, options)
    _add_predict(api, engine, options)
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(Exception, _refused)
    api.add_exception_handler(RequestValidationError, _invalid)
    if metrics is not None:
        engine.told = metrics.segmented
    return gate


def _add_docs(api: FastAPI) -> None:
    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(draw(api.openapi()))


def _add_segment(api: FastAPI, engine: Engine, options: ServeOptions) -> None:
    channels = engine.channels

    @api.post(
        SEGMENT_ROUTE,
        response_model=SegmentAnswer,
        responses=_ERRORS,
        openapi_extra=segment_extra(channels),
        dependencies=_asking(options),
    )
    async def segment(
        request: Request,
        masks: Annotated[
            Masks, Query(description="What masks come as; nifti and dicom-seg for such input alone.")
        ] = "png",
        volume: Annotated[bool, Query(description="Whether slices are neighbours, in anatomical order.")] = False,
        spacing: Annotated[
            str | None, Query(description="Of rows, columns and slices in mm, for pictures: 0.94,0.94,5")
        ] = None,
    ) -> Response:
        """Segment pictures of slices that hold all channels, NIfTI files by channel, or a zip of a DICOM study."""
        asked = request.query_params
        series = {name: asked[f"{name}_series"] for name in channels.names if f"{name}_series" in asked}
        wish = read_wish(masks, volume=volume, spacing=spacing, series=series)
        return as_json(await _segmented(request, engine, await read_upload(request, options, channels), wish))


def _add_predict(api: FastAPI, engine: Engine, options: ServeOptions) -> None:
    @api.post(
        options.predict_route,
        response_model=PredictAnswer,
        responses=_ERRORS,
        openapi_extra={"requestBody": PREDICT_BODY},
        dependencies=_asking(options),
    )
    async def predict(request: Request) -> Response:
        """Segment slices as a Vertex AI custom container does; at most 1.5 MB at a time."""
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(WRONG_TYPE, "the body is of another type; send application/json")
        upload, wish = await asyncio.to_thread(read_instances, await request.body(), options)
        answer = await _segmented(request, engine, upload, wish)
        return as_json(PredictAnswer(predictions=predictions(answer)))


async def _segmented(request: Request, engine: Engine, upload: Upload, wish: Wish) -> SegmentAnswer:
    """Wait for the engine, which works on threads of its own, no longer than the request may take or its client stays.

    Raises:
        Refusal: when the time is over, the client is gone, or the engine refuses.
    """
    ticket: Ticket = request.scope[TICKET]
    started = engine.submit(upload, wish, ticket.deadline)
    request.scope[BEGIN](started)
    work, gone = asyncio.wrap_future(started), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, gone), timeout=ticket.deadline.left_s, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise Refusal(BAD_REQUEST, "the client went away") if gone.done() else ticket.deadline.refusal()
    finally:
        work.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    """Wait until the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _asking(options: ServeOptions) -> list[Any]:
    """Name the token in the description; the gate is what asks for it."""
    return [Depends(HTTPBearer(auto_error=False))] if options.token is not None else []


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Refusal):
        return JSONResponse({"error": error.text}, error.status, error.headers)
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return JSONResponse({"error": _TEXTS.get(status, "the request cannot be answered; see /docs")}, status, headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Name what is wrong in the query; its values are not repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
    return JSONResponse({"error": told or "the request is not valid; see /docs"}, UNUSABLE)
