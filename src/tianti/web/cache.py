"""Rendered answers, kept in memory up to a number of bytes; those that were not asked for longest are let go."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Rendered:
    """A body, plain and compressed, with its entity tag."""

    body: bytes
    compressed: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, content: str | bytes, media_type: str) -> Rendered:
        """Encode, compress and name a text or a file."""
        body = content if isinstance(content, bytes) else content.encode()
        digest = hashlib.sha256(body).hexdigest()[:32]
        # Weak, for the compressed body has the same tag.
        return cls(body, gzip.compress(body, 6, mtime=0), media_type, f'W/"{digest}"')

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.body) + len(self.compressed)


class Cache:
    """Answers by address. Any thread may use it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[str, Rendered] = OrderedDict()
        self._lock = Lock()

    def get(self, address: str) -> Rendered | None:
        """The answer of an address, if it is kept."""
        with self._lock:
            found = self._kept.get(address)
            if found is not None:
                self._kept.move_to_end(address)
            return found

    def put(self, address: str, rendered: Rendered) -> None:
        """Keep an answer; one that is larger than all the room is not kept."""
        if rendered.size > self._most:
            return
        with self._lock:
            old = self._kept.pop(address, None)
            self._size += rendered.size - (old.size if old else 0)
            self._kept[address] = rendered
            while self._size > self._most:
                _, gone = self._kept.popitem(last=False)
                self._size -= gone.size
