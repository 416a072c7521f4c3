import re
from string import Formatter

import pytest

from page_messages import TEMPLATES, said
from tianti.core.exceptions import UnknownNameError
from tianti.web.words import LANGUAGES, TAGS, catalog, translator


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_message_is_in_every_catalog_and_nothing_else():
    for language in LANGUAGES:
        if language != "en":
            texts = catalog(language)
            assert said() - set(texts) == set(), "messages that the catalog lacks"
            assert set(texts) - said() == set(), "messages that nobody says any more"


def test_every_text_has_the_places_of_its_message():
    for language in LANGUAGES:
        for message, text in catalog(language).items():
            assert text
            assert places(text) == places(message)
    assert set(TAGS) == set(LANGUAGES)


def test_chinese_is_chinese():
    same = {key for key, text in catalog("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert same == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_words_of_their_own(template):
    text = template.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL)
    attributes = re.findall(r'(?:title|aria-label|alt|placeholder)="([^"]*)"', text)
    visible = re.sub(r"<[^>]*>", " ", text)
    # The name of the house and the sign for seconds are the same in every language.
    words = set(re.findall(r"[^\W\d_]+", " ".join([visible, *attributes]))) - {"tianti", "天梯", "s"}
    assert words == set()


def test_unknown_language_and_message():
    with pytest.raises(UnknownNameError, match="language"):
        catalog("fr")
    with pytest.raises(KeyError):
        translator("zh")("no message")


def test_names_with_braces_are_not_filled_in():
    assert (
        translator("en")("{name} is ahead of all others.", name="{name}{0}")
        == "{name}{0} is ahead of all others."
    )
