"""A model under its adaptations: what they gain, how they learn, what they forget, and how each was run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tianti.board import Column, Entry
from tianti.board.compare import Difference
from tianti.board.curves import curves, shot_curves
from tianti.board.gains import Gain, gains
from tianti.web.charts import gain_chart
from tianti.web.model_runs import commands, curve_charts, history, trainings
from tianti.web.page import Address, Keys, Page

if TYPE_CHECKING:
    from tianti.web.site import Site


def every(site: Site) -> Iterable[Keys]:
    """All models of all boards."""
    return ({"model": slug} for view in site.views for slug in view.models.values())


def context(site: Site, model: str) -> Mapping[str, Any]:
    """The entries of the model, and what is known of them beside their scores."""
    view, name = site.model(model)
    entries = view.entries[name]
    base, found = gains(view.board, site.items[view.slug], entries)
    own = replace(view.board, entries=tuple(entries))
    asked = {task for entry in entries for task in entry.cells}
    snapshot = site.snapshot
    # Streams and transfer are those of the first board.
    first = view is site.views[0]
    return {
        "view": view,
        "model": name,
        "entries": entries,
        "columns": [column for column in view.board.columns if column.name in asked],
        "stated": stated(entries),
        "base": base,
        "gains": found,
        "gain_chart": gain_chart(found),
        "shown_sign": shown_sign,
        **_shown(view.board.columns, found),
        "learning": curve_charts(own, curves(own), snapshot.runs, log=True),
        "shots": curve_charts(own, shot_curves(own), snapshot.runs, log=False),
        "trainings": trainings(own, snapshot.runs),
        "streams": _of(name, snapshot.streams if first else ()),
        "transfers": _of(name, snapshot.transfer if first else ()),
        "history": history(own, snapshot),
        "commands": commands(own, snapshot.runs),
    }


def stated(entries: Sequence[Entry]) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """What the files say of the model beside its scores, with the adaptations for which they say the same."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for entry in entries:
        if entry.stated:
            found.setdefault(tuple(entry.stated.items()), []).append(entry.adaptation)
    return [(names, [(name, _brief(text)) for name, text in rows]) for rows, names in found.items()]


def _brief(text: str) -> str:
    """Numbers of many digits with four; all else as it stands."""
    return f"{float(text):.4g}" if re.fullmatch(r"-?[0-9]{1,6}\.[0-9]{4,}", text) else text


def shown_sign(found: Difference | None, column: Column) -> int:
    """1 where a difference is shown to be a gain, -1 where a loss; 0 where its interval holds 0 or it has none, and
    where 0 is the best value."""
    if (
        column.signed
        or found is None
        or found.low is None
        or found.high is None
        or found.low <= 0 <= found.high
    ):
        return 0
    return 1 if (found.low > 0) == column.higher_is_better else -1


def _shown(columns: Sequence[Column], found: Sequence[Gain]) -> dict[str, int]:
    """How many differences of tasks there are, and how many of them are shown gains and losses."""
    signs = [
        shown_sign(difference, column)
        for gain in found
        for column in columns
        if (difference := gain.on(column.name)) is not None
    ]
    return {"differences": len(signs), "shown_gains": signs.count(1), "shown_losses": signs.count(-1)}


def _of(model: str, found: Sequence[Any]) -> list[Any]:
    return [each for each in found if each.model == model]


PAGE = Page(Address("m/{model}/"), "model.html", every, context)
