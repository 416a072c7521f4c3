"""A board as a table for a paper: the same texts in LaTeX and in Markdown, each with its way of saying them safely."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tianti.board.cut import Cut, beside, known_costs
from tianti.board.entries import Cell, Column, Entry
from tianti.board.filters import write
from tianti.board.show import MISSING, arrow, cell_text, is_share, place_text

NAMES = ("model", "adaptation", "provenance")
"""The columns that are set to the left; numbers are set to the right."""
UNITS = {"mean": "%", "energy": "Wh"}
STARRED = "; * has answers that could not be scored"


@dataclass(frozen=True)
class PaperTable:
    """Headings and rows of texts that nothing has been done to yet, and what is said about them."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def paper_table(cut: Cut) -> PaperTable:
    """Place and names of each entry, and what was asked for of it: scores ± half their intervals, and quantities; by
    itself what the page of the board shows, without further metrics. The second note says which part of the board it
    is; static/board/parts.js makes the table of a part from that of the whole, line by line and cell by cell."""
    whole = cut.whole
    asked = cut.asked if cut.selection.columns else (*cut.asked, *known_costs(whole))
    names = NAMES if len({entry.provenance for entry in whole.entries}) > 1 else NAMES[:2]
    view = f" ({write(cut.selection)})" if cut.selection else ""
    return PaperTable(
        headings=("rank", *names, *map(_heading, asked)),
        rows=tuple(
            (
                place_text(entry),
                *(getattr(entry, name) for name in names),
                *(_text(entry, each) for each in asked),
            )
            for entry in cut.board.entries
        ),
        notes=(
            f"{' '.join(['board', whole.title]).strip()}, snapshot {whole.snapshot};",
            f"{cut.text}{view};",
            f"± is half of the {whole.level:.0%} interval{STARRED if _has_stars(whole.entries) else ''}",
        ),
    )


def to_latex(cut: Cut) -> str:
    r"""A `tabular` with the lines of the package booktabs. Names in Chinese need XeLaTeX or LuaLaTeX, and a font.

    Names with hyphens in a row (`a--b`) stay as they are, and nothing in a name is taken for a command.
    """
    table = paper_table(cut)
    form = "".join("l" if heading in NAMES else "r" for heading in table.headings)
    lines = [_line(table.headings, latex), r"\midrule", *(_line(row, latex) for row in table.rows)]
    notes = [f"% {_one_line(note)}" for note in table.notes]
    return "\n".join(
        [*notes, rf"\begin{{tabular}}{{{form}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""]
    )


def to_markdown(cut: Cut) -> str:
    """A table as GitHub and most programs read it, and below it what it shows."""
    table = paper_table(cut)
    ruler = ["---" if heading in NAMES else "--:" for heading in table.headings]
    rows = [[markdown(text) for text in row] for row in (table.headings, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], ruler, *rows[1:])]
    return "\n".join([*lines, "", *map(markdown, table.notes), ""])


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "±": r"$\pm$", "–": r"\textendash{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
}  # fmt: skip
"""Characters that LaTeX takes for something else, or has in no font."""
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~&$@]|:(?=//)|(?<=[wW]{3})\.")
"""Characters that could be markup within a line, and what would make a link of an address."""


def latex(text: str) -> str:
    """A text that LaTeX sets as it is."""
    escaped = "".join(_LATEX.get(character, character) for character in _one_line(text))
    # Two hyphens would become a dash.
    return re.sub("-(?=-)", "-{}", escaped)


def markdown(text: str) -> str:
    """A text that Markdown shows as it is: whatever could be markup has a backslash before it."""
    return _MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def _one_line(text: str) -> str:
    """Breaks and control characters end no row and no comment."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.splitlines()))


def _line(texts: Sequence[str], escape: Callable[[str], str]) -> str:
    return " & ".join(map(escape, texts)) + r" \\"


def _heading(asked: Column | str) -> str:
    if isinstance(asked, str):
        return f"{asked} {UNITS[asked]}" if asked in UNITS else asked
    unit = "%" if is_share(asked) else asked.metric
    return f"{asked.name} {unit} {arrow(asked)}".rstrip()


def _text(entry: Entry, asked: Column | str) -> str:
    if isinstance(asked, str):
        return beside(entry, asked)
    cell = entry.cells.get(asked.name)
    if cell is None:
        return MISSING
    return cell_text(cell, asked) + ("*" if _is_starred(cell) else "") if cell.state == "ok" else cell.state


def _is_starred(cell: Cell) -> bool:
    """Whether some of its answers could not be scored."""
    return bool(cell.errors or cell.skipped)


def _has_stars(entries: Sequence[Entry]) -> bool:
    return any(_is_starred(cell) for entry in entries for cell in entry.cells.values())
