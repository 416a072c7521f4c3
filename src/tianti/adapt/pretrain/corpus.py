"""The text of a pre-training: the endless one of the nano world, or the documents of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from tianti.core.exceptions import InputError, TaskError
from tianti.core.fingerprint import file_digest, fingerprint
from tianti.core.neighbours import name_neighbours
from tianti.core.seeds import derive_seed, derived_random
from tianti.tasks.data import columns, read_rows
from tianti.tasks.nano import PRIMER, documents

NANO = "nano"
RECOGNISED = 100
"""The first documents of the nano world, by which another version of it is told apart."""
HELD_SHARE, HELD_MOST = 0.05, 500
"""Of the documents of files so many are held out for validation: a share, but no more than a number."""
TEXT_SUFFIXES = (".txt", ".text", ".md")


class Corpus(Protocol):
    """Documents to learn from, and documents held out to validate on."""

    @property
    def finite(self) -> Sequence[str] | None:
        """All documents to learn from, or None where they never end."""
        ...

    @property
    def held(self) -> Sequence[str]:
        """Documents that are not learned from."""
        ...

    def text(self, number: int) -> str:
        """Document `number` to learn from; the same number is the same document for ever."""
        ...

    def sample(self, count: int) -> Iterator[str]:
        """Up to `count` documents that stand for all, to train a tokenizer on."""
        ...

    def identity(self) -> dict[str, Any]:
        """What the documents are, as JSON: equal where they are equal."""
        ...


@dataclass(frozen=True)
class NanoCorpus:
    """The generated text of the nano world; `seed` decides which of it."""

    seed: int
    finite: None = None
    held: Sequence[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        stream = documents(derive_seed("validation", self.seed), PRIMER)
        object.__setattr__(self, "held", [next(stream) for _ in range(HELD_MOST)])

    def text(self, number: int) -> str:
        return next(documents(self.seed, number))

    def sample(self, count: int) -> Iterator[str]:
        return islice(documents(self.seed, PRIMER), count)  # the primer is not like the rest

    def identity(self) -> dict[str, Any]:
        known = fingerprint([self.text(number) for number in range(RECOGNISED)])
        return {"data": NANO, "seed": self.seed, "sha256": known}


@dataclass(frozen=True)
class FileCorpus:
    """Documents of files; a seeded draw holds some of them out, and gives each epoch an order of its own."""

    finite: Sequence[str]
    held: Sequence[str]
    files: dict[str, str]
    """Name → sha256."""

    def text(self, number: int) -> str:
        return self.finite[number % len(self.finite)]

    def sample(self, count: int) -> Iterator[str]:
        return islice(self.finite, count)

    def identity(self) -> dict[str, Any]:
        return {"data": self.files, "documents": len(self.finite), "held": len(self.held)}


def open_corpus(paths: Sequence[str], seed: int, column: str = "text") -> Corpus:
    """The corpus that `--data` names: `nano`, or text files and tables (JSONL, JSON, CSV, TSV, Parquet).

    In a text file a document ends at a blank line; in a table each row is a document, in `column`.

    Raises:
        InputError: a file cannot be read, or there is too little text to hold some out.
    """
    if list(paths) == [NANO]:
        return NanoCorpus(seed)
    if NANO in paths:
        raise InputError("nano never ends, and stands alone as data", remedy="give --data nano, or files")
    files = [Path(path) for path in paths]
    found = [text for path in files for text in _documents(path, column)]
    if len(found) < 2:
        found = [piece for text in found for piece in _halved(text)]
    if len(found) < 2:
        raise InputError(
            f"{', '.join(paths)}: too little data: {len(found)} documents, and some are held out for validation",
            remedy="give more text",
        )
    count = min(HELD_MOST, max(1, round(HELD_SHARE * len(found))))
    held = set(derived_random("held out", seed).sample(range(len(found)), count))
    return FileCorpus(
        finite=[text for number, text in enumerate(found) if number not in held],
        held=[found[number] for number in sorted(held)],
        files={path.name: file_digest(path) for path in files},
    )


def _documents(path: Path, column: str) -> Iterator[str]:
    if path.suffix.lower() not in TEXT_SUFFIXES:
        rows = read_rows(path)
        if column not in columns(rows):
            raise TaskError(
                f"{path}: no column {column!r}; there is {', '.join(sorted(columns(rows)))}",
                remedy="name the column of the text with --column",
            )
        texts = [str(row.get(column) or "") for row in rows]
    else:
        if not path.is_file():
            hint = name_neighbours(path, TEXT_SUFFIXES, "text files")
            raise InputError(f"there is no file {path}", remedy=hint)
        try:
            texts = path.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    yield from (text.strip("\n") for text in texts if text.strip())


def _halved(text: str) -> list[str]:
    """One long document, cut near its end at a line or a space, so that its tail can be held out."""
    cut = max(text.rfind("\n", 0, int(len(text) * 0.95)), text.rfind(" ", 0, int(len(text) * 0.95)))
    return [text] if cut <= 0 else [text[:cut], text[cut:].lstrip()]
