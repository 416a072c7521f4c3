"""Fingerprints: the sha256 of a canonical form, so that equal things have equal names everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """`value` as the one JSON text that RFC 8785 (JSON Canonicalization Scheme) allows for it."""
    return rfc8785.dumps(value)


def fingerprint(value: Any) -> str:
    """The sha256 (64 hex digits) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_fingerprint(paths: Iterable[Path]) -> str:
    """One fingerprint for several files: their names and contents, in the order of their names."""
    return fingerprint({path.name: file_digest(path) for path in sorted(paths)})
