"""A model under its adaptations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, Page

if TYPE_CHECKING:
    from tianti.web.site import Site


def every(site: Site) -> Iterable[Keys]:
    """All models of all boards."""
    return ({"model": slug} for view in site.views for slug in view.models.values())


def context(site: Site, model: str) -> Mapping[str, Any]:
    """The entries of the model."""
    view, name = site.model(model)
    return {"view": view, "model": name, "entries": view.entries[name]}


PAGE = Page(Address("m/{model}/"), "model.html", every, context)
