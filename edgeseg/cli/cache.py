"""`edgeseg cache`: what is kept for later runs, and clearing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import json_option

if TYPE_CHECKING:
    from edgeseg.results import CacheList

app = typer.Typer(no_args_is_help=True, help="Show or clear what is kept for later runs: decoded slices, baselines.")

_AsJson = Annotated[bool, json_option("Print JSON instead of the table.")]


@app.command("list")
def list_kept(as_json: _AsJson = False) -> None:
    """List what is kept, with its size; XDG_CACHE_HOME says where."""
    from edgeseg.place import cache_entries, cache_place
    from edgeseg.results import CacheList

    place = cache_place()
    _show(CacheList(folder=str(place), entries=cache_entries(place)), as_json=as_json, done="are kept in")


@app.command()
def clear(as_json: _AsJson = False) -> None:
    """Remove all that is kept; later runs make it again. Refused while another run uses it."""
    from edgeseg.place import cache_place, clear_cache
    from edgeseg.results import CacheList

    place = cache_place()
    _show(CacheList(folder=str(place), entries=clear_cache(place)), as_json=as_json, done="were removed from")


def _show(found: CacheList, *, as_json: bool, done: str) -> None:
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.listings import cache_table

    if as_json:
        typer.echo(to_json(found))
        return
    if found.entries:
        show(cache_table(found))
    typer.echo(f"{found.size_bytes / 1e6:.1f} MB {done} {found.folder}")
