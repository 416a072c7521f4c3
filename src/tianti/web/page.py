"""What a page is: an address, a template, and where its content comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tianti.web.site import Site

Keys = Mapping[str, str]


class NoSuchPageError(LookupError):
    """The address leads nowhere: the snapshot has no such board, model, task, run or file."""


@dataclass(frozen=True)
class Address:
    """A pattern of addresses, such as `m/{model}/`; what stands in braces is a slug or a number."""

    pattern: str

    def match(self, path: str) -> Keys | None:
        """The keys of an address that fits; None where it does not."""
        found = self._compiled.fullmatch(path)
        return None if found is None else found.groupdict()

    def of(self, keys: Keys) -> str:
        """The address of these keys."""
        return self.pattern.format(**keys)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.pattern)))


@dataclass(frozen=True)
class Page:
    """One kind of page, there in each language.

    `every` lists the keys of all its addresses; `context(site, **keys)` is what its template is filled with, and raises
    NoSuchPageError where there is no such page.
    """

    address: Address
    template: str
    every: Callable[[Site], Iterable[Keys]]
    context: Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class File:
    """One kind of data file; `content(site, **keys)` is its text, or its bytes where it is none."""

    address: Address
    media_type: str
    every: Callable[[Site], Iterable[Keys]]
    content: Callable[..., str | bytes]


def once(_: Site) -> Iterable[Keys]:
    """The keys of a page that is there once."""
    return [{}]
