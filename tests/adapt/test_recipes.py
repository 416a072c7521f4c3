"""The recipes that come with tianti, and errors of those that one writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tianti.adapt import parse_adaptation
from tianti.adapt.recipes import ARCHITECTURES, RecipeError, list_recipes, read_recipe
from tianti.core.exceptions import UnknownNameError


def test_the_four_processes_are_there() -> None:
    assert [recipe.recipe for recipe in list_recipes()] == ["chatgpt", "gpt3", "gpt4", "palm"]


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda recipe: recipe.recipe)
def test_every_recipe_is_whole(recipe: object) -> None:
    from tianti.adapt.recipes import Recipe

    assert isinstance(recipe, Recipe)
    assert read_recipe(recipe.recipe) == recipe
    doings = [step.do for step in recipe.steps]
    assert doings[0] == "data"
    assert doings[-2:] == ["save", "use"]
    for words in [recipe.title, recipe.about, *(w for step in recipe.steps for w in (step.name, step.words))]:
        assert any("\u4e00" <= character <= "\u9fff" for character in words.zh)
        assert words.in_language("zh") == words.zh != words.en == words.in_language("en")
    for architecture in ARCHITECTURES:
        stages = [step.adaptation_for(architecture) for step in recipe.steps if step.do == "stage"]
        trained = [text for text in stages if text and parse_adaptation(text).trains]
        assert trained, f"{recipe.recipe} trains nothing on {architecture}"


def test_the_processes_do_what_they_are_named_for() -> None:
    def all_of(name: str) -> str:
        return " ".join(str(step.adaptation) for step in read_recipe(name).steps)

    assert "weight_decay=" in all_of("gpt3")
    assert "batch=" in all_of("gpt3")
    for name in ("gpt4", "chatgpt", "palm"):
        assert "update(" in all_of(name)
        assert "few-shot(k=4)" in all_of(name)
    for name in ("gpt4", "chatgpt"):
        assert "prompt-tuning(" in all_of(name)
    assert "frozen=0|1" in all_of("gpt3")
    assert read_recipe("chatgpt").form == "chat"


WHOLE = """\
recipe: mine
title: {en: Mine, zh: 我的}
about: {en: Mine, zh: 我的}
steps:
  - {do: stage, name: {en: One, zh: 一}, words: {en: One, zh: 一}, adaptation: lora}
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", ""),
        ("do: stage", "do: stages", r"step 1: do: input should be 'data'"),
        ("recipe: mine", "recipes: mine", "unknown key 'recipes': did you mean 'recipe'"),
        ("words:", "word:", r"step 1: unknown key 'word': did you mean 'words'"),
        ("title: {en: Mine, zh: 我的}\n", "", "title is missing"),
        (", zh: 一}, words", "}, words", "step 1: name: zh is missing"),
        ("adaptation: lora", "adaptation: lorra", "step 1: unknown adaptation 'lorra': did you mean 'lora'"),
        (", adaptation: lora", "", "a step that does stage needs one"),
        ("adaptation: lora", "adaptation: {bert: lora}", "no architecture 'bert'"),
        ("adaptation: lora", "adaptation: {causal: lora}", "says why the step is left out"),
        ("do: stage", "do: data", "a step that does data has none"),
        ("do: stage", "do: search", "no later stage with the adaptation"),
        ("recipe: mine", "recipe: [", "line 3, column 1: no YAML"),
    ],
)
def test_faults_are_told_with_their_place(old: str, new: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE.replace(old, new, 1) if old else WHOLE, encoding="utf-8")
    if not words:
        assert read_recipe(str(path)).steps[0].adaptation_for("masked") == "lora"
        return
    with pytest.raises(RecipeError, match=words) as caught:
        read_recipe(str(path))
    assert str(path) in str(caught.value)


def test_no_such_recipe(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'gpt3'"):
        read_recipe("gtp3")
    with pytest.raises(RecipeError, match="no recipe file"):
        read_recipe(str(tmp_path / "none.yaml"))
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(RecipeError, match="expected keys and values"):
        read_recipe(str(tmp_path / "list.yaml"))
