import re
from importlib.resources import files
from string import Formatter

import pytest

from tianti.core.exceptions import UnknownNameError
from tianti.web.words import LANGUAGES, TAGS, catalog, translator

TEMPLATES = sorted((files("tianti.web") / "templates").iterdir(), key=lambda path: path.name)
# Keys that are put together from data: state_failed, run_finished, excluded_ratio.
BUILT = ("state_", "run_", "excluded_", "aspect_")


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_all_languages_have_the_same_keys_and_places():
    english = catalog("en")
    for language in LANGUAGES:
        texts = catalog(language)
        assert set(texts) == set(english)
        assert all(isinstance(text, str) and text for text in texts.values())
        assert {key: places(text) for key, text in texts.items()} == {
            key: places(text) for key, text in english.items()
        }
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


def test_every_key_is_used_and_every_used_key_exists():
    text = "".join(template.read_text(encoding="utf-8") for template in TEMPLATES)
    used = set(re.findall(r"""\bt\(["'](\w+)["']""", text)) | {"language_name"}
    used = {key for key in used if key not in BUILT}
    known = set(catalog("en"))
    assert used <= known
    assert {key for key in known - used if not key.startswith(BUILT)} == set()


def test_unknown_language_and_key():
    with pytest.raises(UnknownNameError, match="language"):
        catalog("fr")
    with pytest.raises(KeyError):
        translator("en")("nothing")


def test_names_with_braces_are_not_filled_in():
    assert translator("en")("one_leads", name="{name}{0}") == "{name}{0} is ahead of all others."
