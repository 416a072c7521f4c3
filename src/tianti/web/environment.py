"""The templates with all that they use. Every name and text of the data is escaped."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tianti import __version__
from tianti.board import show
from tianti.web import charts, draw
from tianti.web.policy import POLICY
from tianti.web.words import LANGUAGES, TABLES, TAGS, translator

_PARTS = re.compile(r"(?<=[/_:,])(?=[^/_:,])|(?<=\.)(?=[A-Za-z])|(?<=[^(])(?=\()")
"""Where a name may be broken; static/board/element.js has the same."""


@cache
def environment(language: str) -> Environment:
    """The environment of a language."""
    made = Environment(
        loader=PackageLoader("tianti.web"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # templates come with the program
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=translator(language),
        words={each: translator(each) for each in LANGUAGES},
        language=language,
        tags=TAGS,
        version=__version__,
        policy=POLICY,
        show=show,
        charts=charts,
        shade=draw.shade,
        letter=show.letter,
        **TABLES,
    )
    made.filters["code"] = code
    made.filters["broken"] = broken
    return made


def code(text: str) -> Markup:
    """What stands between `backticks` as code; everything is escaped as ever."""
    shape = ("{}", "<code>{}</code>")
    return Markup().join(Markup(shape[index % 2]).format(part) for index, part in enumerate(text.split("`")))


@lru_cache(maxsize=8192)
def broken(name: str) -> Markup:
    """A name that may go on in another line behind what divides it, before it does so within a word."""
    return Markup("<wbr>").join(_PARTS.split(name))
