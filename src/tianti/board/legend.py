"""What stands below a board in the terminal: how to read it, and what failed or is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tianti.board.board import Board, Decided, Winner
from tianti.board.entries import AspectColumn, Entry
from tianti.board.show import arrow, is_share, number, percent
from tianti.board.zero import ZEROS, zero_of
from tianti.core.wording import counted

MOST_NOTES = 8
EXCLUSIONS = {
    "ratio": "its metric is no mean over samples",
    "lower": "lower is better",
    "chance": "its chance level is not in [0, 1)",
    "range": "its values are not in [0, 1]",
    "fresh": "fresh samples of a task that is there already",
    "unanswered": "no entry has a score on it",
    "reported": "published figures, without answers to single samples",
}


def legend(board: Board) -> Iterable[str]:
    level, tasks = f"{board.level:.0%}", len(board.counting)
    target = "new samples of the same kind" if board.decided is None else "this bank of samples"
    if tasks:
        zero = ZEROS[zero_of([column.chance for column in board.counting])]
        line = f"mean: over {counted(tasks, 'task')}, in %; {zero}, 100 perfect."
        drawn = any(cell.low is not None for entry in board.entries for cell in entry.cells.values())
        yield line + (f" ±: half of the {level} interval for {target}." if drawn else "")
    if any(entry.provenance == "imported" for entry in board.entries):
        yield "imported: read from the files of other programs, not measured here."
    if any(entry.band for entry in board.entries):
        yield "A, B: bands; the entries of a band cannot be told apart from its first one."
    if board.decided:
        yield from _decided(board, board.decided)
    elif board.family:
        correction = "Holm" if board.rules.ranks == "holm" else "max-T"
        yield (
            f"rank: all intervals hold at once with {level} "
            f"(paired tests on shared samples, {correction} over {board.family:,} hypotheses)."
        )
    elif tasks and len(board.entries) > 1 and any(entry.rank is not None for entry in board.entries):
        yield (
            "rank: by the mean alone. No test was made, as there are no values per sample: entries next to each other "
            "may as well stand the other way round."
        )
    elif not tasks and len(board.entries) > 1:
        yield (
            "rank: by the score alone. No test was made, as no task's metric is a mean over samples: entries whose "
            "intervals overlap may as well stand the other way round."
        )
    if board.winner:
        yield _winner(board.winner, level)
    excluded = [
        f"{column.name} ({column.metric}: {EXCLUSIONS[column.excluded]})"
        for column in board.columns
        if not column.counts
    ]
    if excluded:
        yield f"not in the mean: {', '.join(excluded)}"
    if any(not entry.complete for entry in board.entries) and tasks:
        yield _unranked(tasks)
    yield from _templates(board)
    if board.left_out:
        runs = counted(board.left_out, "finished run")
        yield f"{runs} left out: others stand for the same cells."


def _decided(board: Board, decided: Decided) -> Iterable[str]:
    """After how many samples the ranking was decided, and what that means."""
    samples = f"after {decided.asked:,} of {counted(decided.items, 'sample')}"
    delta = f"{decided.delta:g} {'point' if decided.delta == 1 else 'points'}"
    level = f"{decided.level:.0%}"
    if decided.open:
        pairs = counted(decided.pairs, "pair")
        yield f"not decided {samples}: {decided.open:,} of {pairs} are neither in order nor within {delta}."
    else:
        tied = f", {counted(decided.tied, 'pair')} by a tie" if decided.tied else ""
        yield (
            f"decided {samples}: every two entries are in order or within {delta} of each other{tied}. "
            f"{decided.answers:,} of {decided.items * len(board.entries):,} answers were asked for."
        )
    yield (
        f"rank: all intervals hold at once with {level}, at whatever sample one looks or stops "
        f"(bets on paired differences, Holm over {board.family:,} hypotheses; order of seed {decided.order_seed}, "
        f"sha256 {decided.order_sha256[:12]})."
    )
    stops = [f"{entry.name} {entry.n:,}" for entry in board.entries if entry.rank is not None]
    yield f"samples asked: {', '.join(stops[:MOST_NOTES])}{', …' if len(stops) > MOST_NOTES else ''}."


def _templates(board: Board) -> Iterable[str]:
    """How far the templates lie apart, where samples were asked in all of them."""
    for entry in board.entries:
        for column in board.columns:
            found = entry.cells[column.name].templates if column.name in entry.cells else {}
            if found:
                lowest, highest, sd = (
                    percent(found[key]) if is_share(column) else number(found[key])
                    for key in ("lowest", "highest", "sd")
                )
                yield (
                    f"{entry.name} on {column.name}: mean over {len(found) - 3} templates, which gave {lowest} to "
                    f"{highest} (standard deviation {sd})."
                )


def _winner(winner: Winner, level: str) -> str:
    """What is known of the first place: its mean without the luck of having been picked, and how firm it is."""
    picked = f"first: {winner.entry}. As the best of {winner.candidates} its {level} interval is "
    interval = f"{percent(winner.low)} to {percent(winner.high)}"
    if winner.items is None:
        return f"{picked}{interval}."
    samples = f"{'' if winner.exact else 'at most '}{counted(winner.items, 'chosen sample')}"
    return f"{picked}{interval}; without {samples} {winner.challenger} would be ahead."


def about(further: Sequence[AspectColumn]) -> Iterable[str]:
    if further:
        arrows = ", ".join(dict.fromkeys(f"{c.metric} {arrow(c) or '(0 is best)'}" for c in further))
        yield f"further metrics (↑ higher, ↓ lower is better; no part of mean or rank): {arrows}"


def _unranked(tasks: int) -> str:
    if tasks == 1:
        return "–: no score on the task that makes up the mean, so not ranked."
    return f"(mean): of fewer than {tasks} tasks, so not ranked."


def more(entries: int) -> Iterable[str]:
    if entries:
        yield f"{counted(entries, 'more entry', 'more entries')}: --top N shows N of them, --json has all."


def hidden(columns: int, what: str) -> Iterable[str]:
    if columns:
        some = f"{columns} more {what} does" if columns == 1 else f"{columns} more {what}s do"
        yield f"{some} not fit here: --json has all, so has the site."


def notes(board: Board) -> Iterable[str]:
    """What failed or is missing, with the reason."""
    found = [note for entry in board.entries for note in _notes_of(entry)]
    yield from found[:MOST_NOTES]
    if len(found) > MOST_NOTES:
        yield f"… and {len(found) - MOST_NOTES} more"


def _notes_of(entry: Entry) -> Iterable[str]:
    for cell in entry.cells.values():
        where = f"{entry.name} on {cell.task}"
        if cell.errors or cell.skipped:
            errors = counted(cell.errors or 0, "answer")
            yield f"* {where}: {errors} in error, {cell.skipped or 0} skipped; none of them scored"
        if cell.overlap:
            yield f"* {where}: {cell.overlap}"
        if cell.reason:
            sign = {"failed": "✗", "running": "…", "ok": "*"}.get(cell.state, "∅")
            yield f"{sign} {where}: {cell.reason.splitlines()[0]}"
