"""A board as a file, by the ending of its name; the same bytes from the terminal, the API and an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tianti.board.cut import Cut
from tianti.board.export import to_csv, to_parquet
from tianti.board.paper import to_latex, to_markdown
from tianti.board.snapshot import board_json
from tianti.board.streams import Stream
from tianti.core.exceptions import UnknownNameError


@dataclass(frozen=True)
class Format:
    """A form of file: what HTTP calls it, what it is in words, and how a board, with its streams, becomes one."""

    media_type: str
    summary: str
    write: Callable[[Cut, Sequence[Stream]], bytes]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "json": Format(
            "application/json",
            "all that is known, as `tianti board --json` prints it",
            lambda cut, streams: board_json(cut.whole, streams, cut.selection).encode(),
        ),
        "csv": Format(
            "text/csv",
            "one line per entry and task",
            lambda cut, _: to_csv(cut.board, cut.whole.snapshot).encode(),
        ),
        "parquet": Format(
            "application/vnd.apache.parquet",
            "one row per entry and task, with types",
            lambda cut, _: to_parquet(cut),
        ),
        "tex": Format(
            "application/x-tex", "a table for a paper, in LaTeX", lambda cut, _: to_latex(cut).encode()
        ),
        "md": Format(
            "text/markdown", "a table for a paper, in Markdown", lambda cut, _: to_markdown(cut).encode()
        ),
    }
)
"""By the ending of the file's name."""


def format_of(name: str) -> Format:
    """The format of a file of this name.

    Raises:
        UnknownNameError: its ending is that of none.
    """
    ending = name.rpartition(".")[2].lower()
    if "." not in name or ending not in FORMATS:
        raise UnknownNameError("ending", ending if "." in name else "", FORMATS, where=name)
    return FORMATS[ending]
