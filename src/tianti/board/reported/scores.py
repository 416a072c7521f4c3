"""The table of reported scores: read, and refused where it does not hold together.

Each row is one figure as one text gives it. Where texts disagree there are several rows; none is chosen and none is
averaged.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from tianti.core.exceptions import InputError, UnknownNameError

Regime = Literal["zero-shot", "few-shot", "fine-tuned"]
Status = Literal["primary", "quoted"]
"""Read in the authors' own text, or in another text that quotes them."""

CHAIN = "chain of thought"


@dataclass(frozen=True)
class ReportedScore:
    """A figure in points (0 … 100, as papers print it).

    `shots` is None where there are none or the text does not say; `split` is empty where it does not say. `protocol`
    is what was done besides: a chain of thought, a calculator, an ensemble. `quoted_in` is the text that it was read
    in, where that is not the one it is from.
    """

    model: str
    regime: Regime
    shots: int | None
    protocol: tuple[str, ...]
    task: str
    metric: str
    split: str
    score: float
    citation: str
    url: str
    quoted_in: str
    status: Status
    note: str

    @property
    def method(self) -> str:
        """The adaptation without its settings, by the name that `tianti adaptations list` gives it."""
        if self.regime == "fine-tuned":
            return "full"
        return "chain-of-thought" if CHAIN in self.protocol else self.regime

    @property
    def adaptation(self) -> str:
        """The adaptation with its shots, and behind it what was done besides."""
        shots = f"(k={self.shots})" if self.shots else ""
        done = [each for each in self.protocol if each != CHAIN or self.method != "chain-of-thought"]
        return ", ".join([self.method + shots, *done])


@cache
def reported_scores() -> tuple[ReportedScore, ...]:
    """The scores that come in the package."""
    text = (files("tianti.board.reported") / "scores.csv").read_text(encoding="utf-8")
    return read_reported(text.splitlines(), "scores.csv")


def read_reported(lines: Iterable[str], where: str) -> tuple[ReportedScore, ...]:
    """The scores of a CSV whose header names the fields of `ReportedScore`; `protocol` is separated by commas.

    Raises:
        InputError: a field is missing or wrong, or a row is there twice; names the line.
        UnknownNameError: no such regime or status.
    """
    reader = csv.DictReader(lines, strict=True)
    expected = [field.name for field in fields(ReportedScore)]
    if reader.fieldnames != expected:
        raise InputError(
            f"{where}: the header is {reader.fieldnames}", remedy=f"expected {','.join(expected)}"
        )
    found: dict[ReportedScore, int] = {}
    try:
        for row in reader:
            score = _score(row, f"{where}, line {reader.line_num}")
            if score in found:
                raise InputError(f"{where}: lines {found[score]} and {reader.line_num} say the same")
            found[score] = reader.line_num
    except csv.Error as error:
        raise InputError(f"{where}, line {reader.line_num}: {error}") from error
    return tuple(found)


def _score(row: Mapping[str | None, str | None], where: str) -> ReportedScore:
    if None in row or None in row.values():
        raise InputError(f"{where}: expected {len(fields(ReportedScore))} fields")
    texts = {str(name): str(text).strip() for name, text in row.items()}
    for name in ("model", "task", "metric", "citation"):
        if not texts[name]:
            raise InputError(f"{where}: no {name}")
    for name, valid in (("regime", get_args(Regime)), ("status", get_args(Status))):
        if texts[name] not in valid:
            raise UnknownNameError(name, texts[name], valid, where=where)
    if not re.fullmatch(r"https://\S+", texts["url"]):
        raise InputError(f"{where}: url is {texts['url']!r}, expected https://…")
    if not re.fullmatch(r"[0-9]{0,6}", texts["shots"]):
        raise InputError(f"{where}: shots is {texts['shots']!r}, expected a whole number or nothing")
    shots = int(texts["shots"]) if texts["shots"] else None
    if shots and texts["regime"] != "few-shot":
        raise InputError(f"{where}: {texts['regime']} with {shots} shots")
    protocol = tuple(part.strip() for part in texts["protocol"].split(",") if part.strip())
    facts = {"shots": shots, "protocol": protocol, "score": _points(texts["score"], where)}
    return ReportedScore(**{**texts, **facts})  # type: ignore[arg-type]


def _points(text: str, where: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0 <= points <= 100:
        raise InputError(f"{where}: score is {text!r}, expected points from 0 to 100")
    return points
