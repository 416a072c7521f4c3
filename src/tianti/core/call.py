"""The short notation `name(key=value, …)` of adaptations and tasks on the command line and in studies.

>>> parse_call("lora(r=8, lr=2e-4)")
Call(name='lora', arguments={'r': 8, 'lr': 0.0002})
>>> str(parse_call("few-shot(k=4)"))
'few-shot(k=4)'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from tianti.core.exceptions import InputError

_CALL = re.compile(r"^\s*(?P<name>[^()\s]+)\s*(?:\((?P<arguments>.*)\))?\s*$", re.DOTALL)
# A YAML 1.1 reader takes 2e-5 for a string; a person means a number.
_FLOAT = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")


@dataclass(frozen=True)
class Call:
    """A name and its keyword arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}({', '.join(f'{key}={_show(value)}' for key, value in self.arguments.items())})"


def parse_call(text: str) -> Call:
    """Read `name` or `name(key=value, …)`; values are numbers, true/false, null, [lists] or strings.

    Raises:
        InputError: the text does not have this form.
    """
    refuse_list(text)
    match = _CALL.match(text)
    if match is None:
        raise InputError(f"cannot read {text!r}", remedy="write it as name or name(key=value, key=value)")
    arguments: dict[str, Any] = {}
    for part in _split(match["arguments"] or ""):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise InputError(
                f"cannot read {part.strip()!r} in {text!r}", remedy="write each argument as key=value"
            )
        if key.strip() in arguments:
            raise InputError(f"{key.strip()!r} stands twice in {text!r}", remedy="give each argument once")
        arguments[key.strip()] = _value(value.strip(), text)
    return Call(match["name"], arguments)


def split_steps(text: str) -> list[str]:
    """The names of a chain `name(…) + name(…)`, each with its arguments; one where there is no plus.

    Raises:
        InputError: nothing stands before or behind a plus.
    """
    steps = [step.strip() for step in _split(text, "+", keep_empty=True)]
    if len(steps) > 1 and not all(steps):
        raise InputError(
            f"cannot read {text!r}: a step is missing", remedy="write steps as lora + few-shot(k=4)"
        )
    return steps


def split_source(text: str) -> tuple[str, str]:
    """What stands before and behind the last ` from ` outside brackets and quotes; "" behind it where there is none."""
    ends = [index for index in _outside(text) if text.startswith(" from ", index)]
    if not ends:
        return text, ""
    return text[: ends[-1]].strip(), text[ends[-1] + len(" from ") :].strip()


def refuse_list(text: str) -> None:
    """Raise InputError where several names stand in one text, as `a,b`: a list says where each of them ends."""
    names = [name.strip() for name in _split(text)]
    if len(names) > 1:
        raise InputError(
            f"{text!r}: {len(names)} names in one",
            remedy="give each by itself: repeat the option, or put a space between models; in a study or in Python "
            f"write a list: [{', '.join(names)}]",
        )


def _split(text: str, separator: str = ",", *, keep_empty: bool = False) -> list[str]:
    """Split at the separators that stand outside brackets and quotes."""
    ends = [index for index in _outside(text) if text[index] == separator]
    parts = [text[start + 1 : end] for start, end in pairwise([-1, *ends, len(text)])]
    return [part for part in parts if keep_empty or part.strip()]


def _outside(text: str) -> Iterator[int]:
    """The places of the characters that stand outside brackets and quotes."""
    depth, quote, escaped = 0, "", False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            escaped = quote == '"' and character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif depth == 0:
            yield index


def _value(text: str, whole: str) -> Any:
    if _FLOAT.match(text):
        return float(text)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"cannot read the value {text!r} in {whole!r}") from error


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = value if re.fullmatch(r"[\w./:@+|-]+", value) else repr(value)
        return plain if _reads_as(plain, value) else _quoted(value)
    return str(value)


def _reads_as(text: str, value: str) -> bool:
    try:
        return bool(_value(text, text) == value) and _split(text) == [text]
    except InputError:
        return False


def _quoted(value: str) -> str:
    """In double quotes, inside of which YAML has a way to write every character."""
    written: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
    return written.removesuffix("\n")
