"""The words of the pages: English in the templates, as gettext messages, and a catalog for every other language.

A message may have {places} to fill in: `t("{done} of {all} tasks", done=3, all=4)`. Messages that depend on data are in
the tables below. `scripts/words` lists what a catalog lacks and what nobody says any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

from tianti.core.exceptions import UnknownNameError

LANGUAGES = ("en", "zh")
TAGS = {"en": "en", "zh": "zh-Hans"}
"""What the pages say in `lang`."""

STATES = {
    "ok": "scored",
    "error": "error",
    "skipped": "skipped",
    "failed": "failed",
    "running": "running",
    "empty": "nothing scored",
    "absent": "not run",
}
"""Of a cell or an answer."""
RUN_STATES = {"finished": "finished", "failed": "failed", "running": "not finished"}
EXCLUSIONS = {
    "ratio": "no, its metric is no mean over samples",
    "lower": "no, lower is better",
    "chance": "no, its chance level is not between 0 and 1",
    "range": "no, its values are not between 0 and 1",
    "fresh": "no, fresh samples of a task that is there already",
    "unanswered": "no, no entry has a score on it",
}
"""Why a task is no part of the mean."""
ASPECTS = {
    "calibration": "calibration",
    "robustness": "robustness",
    "order": "order of options",
    "fairness": "fairness",
}
COST_NAMES = {
    "parameters": "parameters",
    "trained": "trained parameters",
    "examples": "training examples",
    "seconds": "seconds",
    "tokens": "tokens",
    "energy": "energy (watt-hours)",
}
"""What an entry took."""
QUANTITIES = {
    "rank": "Rank",
    "mean": "Mean",
    "parameters": "Parameters",
    "trained": "Trained parameters",
    "examples": "Training examples",
    "seconds": "Time",
    "tokens": "Tokens",
    "energy": "Energy",
}
"""Columns of a board that are no tasks."""
PROVENANCE = {"measured": "measured", "verified": "verified", "imported": "imported", "reported": "reported"}
"""Where the numbers of an entry are from."""
DATA = {
    "index": "What there is, by slug",
    "board": "A board, as `tianti board --json` prints it",
    "lines": "The same, one line per entry and task",
    "model": "A model with its entries",
    "task": "A task with the cell of each entry",
    "items": "How difficult its samples are, and how well they tell entries apart",
    "run": "A run with every answer",
    "samples": "Its answers, fifty in a file, with raw responses and explanations",
    "compare": "Two entries, task by task",
}
"""Kinds of data files."""
CURVE_TITLES = {
    "learning": "{task}: score by training examples",
    "shots": "{task}: score by examples in the prompt",
}
"""What curves on a task show."""
ANSWERS = {
    "all": "all",
    "right": "right",
    "wrong": "wrong",
    "other": "neither right nor wrong",
    "error": "error",
    "skipped": "skipped",
}
"""What answers are listed by."""
REFUSALS = {
    "number": "Two to four different entries can be compared.",
    "unknown": "There is no entry called {name} here, or no board that has all of these.",
}
"""Why nothing is compared."""
STARTS = {
    "tianti demo": "three small models, which come with tianti, adapted in six ways, on every kind of task: some "
    "minutes on a laptop, and no network",
    "tianti run nano:llama --task nano/sentiment --adapt zero-shot --adapt 'lora(r=8)'": "one of them, on one task, in "
    "two ways; a folder with weights, a name on the hub or an endpoint takes the place of `nano:llama`, and "
    "`tianti tasks list` names the tasks",
    "tianti import FILE…": "results of lm-evaluation-harness, MTEB, LiveBench or the Open LLM Leaderboard",
}
"""How a board gets its first results, by the command."""
TABLES = {
    "refusals": REFUSALS,
    "states": STATES,
    "run_states": RUN_STATES,
    "exclusions": EXCLUSIONS,
    "aspects": ASPECTS,
    "cost_names": COST_NAMES,
    "quantities": QUANTITIES,
    "provenance": PROVENANCE,
    "data": DATA,
    "curve_titles": CURVE_TITLES,
    "answer_kinds": ANSWERS,
    "starts": STARTS,
}
"""Messages by what the data says; templates know each by its name."""

Translate = Callable[..., str]


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Message → text in a language; empty for English, which the messages are in.

    Raises:
        UnknownNameError: there is no such language.
    """
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    if language == "en":
        return {}
    with (files("tianti.web") / "locale" / f"{language}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def translator(language: str) -> Translate:
    """`t(message, place=value)`: the text in a language with its places filled in.

    A message that the catalog lacks is a KeyError: a page is in one language or there is none.
    """
    texts = catalog(language)

    def translate(message: str, /, **places: object) -> str:
        text = texts[message] if language != "en" else message
        return text.format(**places) if places else text

    return translate
