"""Conversations in the words of a chat template, and the templates that cannot write them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats import INSTRUCTIONS, TURNS, chat_tokenizer
from tianti.core.exceptions import IncompatibleError
from tianti.models.chat import ChatTemplate, check_chat
from tiny import tiny_llama, tiny_tokenizer


def said(*turns: str) -> list[dict[str, str]]:
    """user, assistant, user, …"""
    return [
        {"role": "assistant" if number % 2 else "user", "content": content}
        for number, content in enumerate(turns)
    ]


SYSTEM = {"role": "system", "content": "Be brief."}


def test_the_template_writes_the_conversation() -> None:
    assert ChatTemplate(chat_tokenizer("turns"))([SYSTEM, *said("Who?")]) == (
        "<s>|system|\nBe brief.|end|\n|user|\nWho?|end|\n|assistant|\n"
    )
    assert ChatTemplate(chat_tokenizer("instructions"))(said("Who?", "Anna.", "Where?")) == (
        "<s>[I] Who? [/I] Anna. </s>[I] Where? [/I]"
    )


def test_the_assistant_goes_on_with_the_last_message() -> None:
    write = ChatTemplate(chat_tokenizer("turns"))
    assert write(said("Who?", "It is"), add_generation_prompt=False).endswith("|assistant|\nIt is")


def test_a_template_without_a_system_gets_none_and_that_is_told() -> None:
    write = ChatTemplate(chat_tokenizer("instructions"))
    with pytest.warns(UserWarning, match="description is left out"):
        assert write([SYSTEM, *said("Who?")]) == "<s>[I] Who? [/I]"


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.lists(texts, min_size=1, max_size=5), texts, st.booleans())
def test_equals_lm_eval(contents: list[str], system: str, has_system: bool) -> None:
    from lm_eval.models.huggingface import HFLM

    messages = [{"role": "system", "content": system}] * has_system + said(*contents)
    for template in ("turns", "instructions"):
        tokenizer = chat_tokenizer(template)
        theirs = HFLM.__new__(HFLM)
        theirs.tokenizer, theirs.chat_template_args = tokenizer, {}
        expected = theirs.apply_chat_template(messages)
        with warnings.catch_warnings(action="ignore"):
            assert ChatTemplate(tokenizer)(messages) == expected


@pytest.mark.parametrize(
    ("template", "messages", "words"),
    [
        ("instructions", [{"role": "assistant", "content": "I"}], "take turns"),
        ("{{ messages[0].content + 1 }}", said("Who?"), "TypeError"),
        ("{{ nothing.at.all }}", said("Who?"), "UndefinedError"),
        ("{% for %}", said("Who?"), "TemplateSyntaxError"),
    ],
)
def test_what_a_template_cannot_write(template: str, messages: list[dict[str, str]], words: str) -> None:
    with pytest.raises(IncompatibleError, match=rf"cannot write the conversation[\s\S]*{words}"):
        ChatTemplate(chat_tokenizer(template))(messages)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ messages.append({'role': 'user', 'content': 'me'}) }}",
    ],
)
def test_a_template_cannot_reach_out_of_its_sandbox(attack: str) -> None:
    with pytest.raises(IncompatibleError, match="SecurityError"):
        ChatTemplate(chat_tokenizer(attack))(said("Who?"))


@pytest.mark.parametrize(
    ("template", "system", "words"),
    [
        (None, None, "me: a chat needs a chat template, and the model's tokenizer has none"),
        ({"rag": TURNS, "tool_use": TURNS}, None, "several and no default: rag, tool_use"),
        ("{{ raise_exception('never') }}", None, "me: the model's chat template cannot write.*never"),
        (INSTRUCTIONS, "Be brief.", "me: its chat template has no place for a system text"),
        ("{{ messages[-1].content }}", "Be brief.", "no place for a system text"),
    ],
)
def test_who_cannot_chat(template: Any, system: str | None, words: str) -> None:
    with pytest.raises(IncompatibleError, match=words) as caught:
        check_chat(chat_tokenizer(template), "me", system)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("template", "system"),
    [
        (TURNS, None),
        (TURNS, " Be brief.\n"),
        (INSTRUCTIONS, None),
        ({"default": TURNS, "rag": "no"}, "Hello"),
    ],
)
def test_who_can(template: Any, system: str | None) -> None:
    check_chat(chat_tokenizer(template), "me", system)


def test_a_template_is_part_of_a_model_in_memory() -> None:
    from tianti.models import from_objects

    network = tiny_llama()
    tokenizers = (tiny_tokenizer(), chat_tokenizer("turns"), chat_tokenizer("instructions"))
    assert len({from_objects(network, tokenizer).model.fingerprint for tokenizer in tokenizers}) == 3
