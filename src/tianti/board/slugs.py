"""Names that are safe in files, addresses and commands."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

LONGEST = 80
# A file of one of these names cannot be made on Windows, whatever its ending.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))})


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A slug of [a-z0-9._-] for each name, all different.

    Names that would share a slug, or whose slug says nothing, get the first digits of their sha256 appended.
    """
    plain = {name: _plain(name) for name in names}
    count = Counter(plain.values())
    return {
        name: text if text and count[text] == 1 and text not in _RESERVED else _with_digest(text, name)
        for name, text in plain.items()
    }


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9.]+", "-", letters)
    text = re.sub(r"\.{2,}", ".", text).strip("-.")
    lost = any(character.isalnum() for character in name if ord(character) > 127)
    if lost or len(text) > LONGEST:
        return f"{text[: LONGEST - 9].rstrip('-.')}-{_digest(name)}".lstrip("-")
    return text


def _with_digest(text: str, name: str) -> str:
    return f"{text or 'x'}-{_digest(name)}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
