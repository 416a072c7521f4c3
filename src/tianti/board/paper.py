"""A board as a table for a paper: the same texts in LaTeX and in Markdown, each with its way of saying them safely."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tianti.board.cut import Cut
from tianti.board.entries import Cell, Column
from tianti.board.show import MISSING, cell_text, is_share

NAMES = ("model", "adaptation")
"""The columns that are set to the left; numbers are set to the right."""


@dataclass(frozen=True)
class PaperTable:
    """Headings and rows of texts that nothing has been done to yet, and what is said about them."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def paper_table(cut: Cut) -> PaperTable:
    """Place, names and quantities of each entry, and its score ± half its interval on each task."""
    columns = cut.board.columns
    marks = [f" {'%' if is_share(c) else c.metric} {'↑' if c.higher_is_better else '↓'}" for c in columns]
    return PaperTable(
        headings=(
            "rank",
            *NAMES,
            *(f"{name} %" if name == "mean" else name for name in cut.quantities),
            *(column.name + mark for column, mark in zip(columns, marks, strict=True)),
        ),
        rows=tuple(
            (*cut.texts(entry), *(_text(entry.cells.get(c.name), c) for c in columns))
            for entry in cut.board.entries
        ),
        notes=(
            f"{' '.join(['board', cut.whole.title]).strip()}, snapshot {cut.whole.snapshot}; {cut.text}; "
            f"± is half of the {cut.whole.level:.0%} interval",
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


def _text(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return MISSING
    return cell_text(cell, column) if cell.state == "ok" else cell.state
