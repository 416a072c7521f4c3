"""Boards that took long to make, kept: while their store stays as it is, they are read and not made again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

import tianti
from tianti.board.board import Board, Rules
from tianti.core.cache import cache_folder, write_whole
from tianti.core.fingerprint import fingerprint
from tianti.store import Store

LONG = 0.3
"""Seconds from which on a board is worth a file."""
MOST = 16
"""Files that are kept; the oldest go."""

_log = logging.getLogger(__name__)


def kept_or_made(
    store: Store, study: str | None, rules: Rules, tasks: Sequence[str], make: Callable[[], Board]
) -> Board:
    """The board that was asked for: read where it is kept, else made, and kept where that took long.

    It is found again only where the store, the files of its answers, what was asked for and the program are the same.
    A file that was damaged, or cannot be read or written, costs time and nothing else.

    Raises:
        what `make` raises.
    """
    path = cache_folder() / "boards" / f"{_key(store, study, rules, tasks)}.json"
    board = _read(path)
    if board is not None:
        return board
    began = time.perf_counter()
    board = make()
    if time.perf_counter() - began >= LONG:
        _write(path, board)
    return board


def _key(store: Store, study: str | None, rules: Rules, tasks: Sequence[str]) -> str:
    asked = [study, asdict(rules), list(tasks)]
    return fingerprint([str(store.folder.resolve()), store.state(), _files(store.folder), asked, _program()])


def _files(folder: Path) -> str:
    """The names, sizes and times of the files of answers: a changed one is read, and its change found."""
    digest = hashlib.sha256()
    for path in sorted((folder / "parts").glob("[!.]*.parquet")):  # one that is being written has a dot
        with suppress(FileNotFoundError):  # gone meanwhile: it was swept up, and no run's
            found = path.stat()
            digest.update(f"{path.name}\n{found.st_size}\n{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def _program() -> str:
    """What makes boards: the version, and the sizes and times of the sources for who is changing them."""
    root = Path(tianti.__file__).parent
    found = ((path, path.stat()) for path in sorted(root.rglob("*.py")))
    sources = [f"{path.relative_to(root)} {file.st_size} {file.st_mtime_ns}" for path, file in found]
    return fingerprint([tianti.__version__, sources])


def _read(path: Path) -> Board | None:
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("%s cannot be read, and the board is made anew: %s", path, error)
        return None
    if hashlib.sha256(content).hexdigest().encode() != digest:
        _log.warning("%s was damaged, and the board is made anew", path)
        return None
    with suppress(OSError):  # where it may only be read, it is not known to have been used
        os.utime(path)
    return Board.from_dict(json.loads(content))


def _write(path: Path, board: Board) -> None:
    content = json.dumps(board.to_dict(), ensure_ascii=False, separators=(",", ":"))
    try:
        write_whole(path, f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}")
        by_age = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for old in by_age[:-MOST]:
            old.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("the board is not kept for the next time: %s", error)
