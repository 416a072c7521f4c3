"""The answer at the end of a chain of thought.

- `answer`: what stands behind the last "answer is", "Answer:", "####" or "答案是", to the end of its line; without
  such a mark the last line.
- `last-number`: the last number, without thousands separators and currency.
- `letter`: the letter of an option behind such a mark, or the last lone one.
- `choice`: the choice that is named last, behind such a mark if one is named there.
- Any other text is a regular expression: its last match, of which the first group if it has one.

An empty text means that there was none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

RULES = ("answer", "last-number", "letter", "choice")

_MARK = re.compile(r"####|\banswer\s*(?:is\b\s*[:：]?|[:：])|答案\s*(?:是|为)?\s*[:：]?", re.IGNORECASE)
_NUMBER = re.compile(r"-?[$€£¥￥]?\d[\d,]*(?:\.\d+)?")
_LETTER = re.compile(r"(?<![A-Za-z])([A-Z])(?![A-Za-z])")
_EDGES = " \t\n.。*`\"'“”"


def extract(text: str, rule: str, choices: Sequence[str] = ()) -> str:
    """The answer that `rule` (one of `RULES` or a regular expression) finds in `text`; "" where it finds none.

    With `choices` the rules `letter` and `choice` give the choice itself.
    """
    if rule == "answer":
        return _behind_mark(text) or _last_line(text)
    if rule == "last-number":
        return last_number(text)
    if rule == "letter":
        return _letter(text, choices)
    if rule == "choice":
        return _last_choice(_behind_mark(text), choices) or _last_choice(text, choices)
    found = list(re.finditer(rule, text))
    if not found:
        return ""
    return (found[-1][1 if found[-1].re.groups else 0] or "").strip()


def last_number(text: str) -> str:
    """The last number of a text in its plain form: "$1,200.50" gives "1200.5"; "" where there is none."""
    found = _NUMBER.findall(text)
    if not found:
        return ""
    number = Decimal(re.sub(r"[^\d.\-]", "", found[-1]))
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _behind_mark(text: str) -> str:
    marks = list(_MARK.finditer(text))
    if not marks:
        return ""
    behind = text[marks[-1].end() :].strip(_EDGES)
    return behind.splitlines()[0].strip(_EDGES) if behind else ""


def _last_line(text: str) -> str:
    lines = [line.strip(_EDGES) for line in text.splitlines() if line.strip(_EDGES)]
    return lines[-1] if lines else ""


def _letter(text: str, choices: Sequence[str]) -> str:
    known = [chr(ord("A") + place) for place in range(len(choices) or 26)]
    marked = [each for each in _LETTER.findall(_behind_mark(text)) if each in known]
    lone = [each for each in _LETTER.findall(text) if each in known]
    letter = marked[0] if marked else lone[-1] if lone else ""
    return choices[known.index(letter)] if letter and choices else letter


def _last_choice(text: str, choices: Sequence[str]) -> str:
    """The choice whose last occurrence ends last, the longest of those that end together."""
    lowered = text.lower()
    ends = []
    for choice in choices:
        word = re.escape(choice.lower())
        edges = (r"(?<!\w)", r"(?!\w)") if choice.isascii() else ("", "")
        places = [match.end() for match in re.finditer(edges[0] + word + edges[1], lowered)]
        if places:
            ends.append((places[-1], len(choice), choice))
    return max(ends)[2] if ends else ""
