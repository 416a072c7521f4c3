"""The words of the pages, in each language: one flat YAML file of key → text with {places} to fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import yaml

from tianti.core.exceptions import UnknownNameError

LANGUAGES = ("en", "zh")
TAGS = {"en": "en", "zh": "zh-Hans"}
"""What the pages say in `lang`."""

Translate = Callable[..., str]


@cache
def catalog(language: str) -> Mapping[str, str]:
    """All texts of a language.

    Raises:
        UnknownNameError: there is no such language.
    """
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    text = (files("tianti.web") / "locale" / f"{language}.yaml").read_text(encoding="utf-8")
    texts: dict[str, str] = yaml.safe_load(text)
    return texts


def translator(language: str) -> Translate:
    """`t(key, place=value)`: the text of a key with its places filled in. An unknown key is a KeyError."""
    texts = catalog(language)

    def translate(key: str, /, **places: object) -> str:
        return texts[key].format(**places) if places else texts[key]

    return translate
