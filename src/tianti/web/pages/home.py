"""The first page of a language: which boards there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Page, once

if TYPE_CHECKING:
    from tianti.web.site import Site


def context(_: Site) -> Mapping[str, Any]:
    """Every page has the boards."""
    return {}


PAGE = Page(Address(""), "home.html", once, context)
