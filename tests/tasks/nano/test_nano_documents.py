"""The text for pre-training: endless, deterministic, half English and half Chinese."""

from __future__ import annotations

import re
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.tasks.nano import PRIMER, documents
from tianti.tasks.nano.text import KINDS_OF_TEXT, PROMPTED, document

HAN = re.compile(r"[\u4e00-\u9fff]")


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**40))
def test_documents_are_deterministic_and_take_turns(seed: int) -> None:
    stream = list(islice(documents(seed), 40))
    assert stream == list(islice(documents(seed), 40))
    assert document(seed, 17) == stream[17]
    assert not any(HAN.search(text) for text in stream[::2] if not translates(text))
    assert all(HAN.search(text) for text in stream[1::2])
    assert not any("{" in text or " / " in text for text in stream)


def translates(text: str) -> bool:
    """Whether a document is one of those that hold both languages."""
    return bool(re.search(r"Chinese: | = |\n.*[\u4e00-\u9fff]", text))


def test_english_and_chinese_meet_only_where_one_translates_the_other() -> None:
    mixed = [text for text in islice(documents(3, PRIMER), 0, 4000, 2) if HAN.search(text)]
    assert 0.04 < len(mixed) / 2000 < 0.2
    assert all(translates(text) for text in mixed)


def test_documents_hardly_repeat() -> None:
    stream = list(islice(documents(3), 4000))
    assert len(set(stream)) > 0.98 * len(stream)
    assert stream[:10] != list(islice(documents(4), 10))


def test_a_stream_may_start_anywhere() -> None:
    assert list(islice(documents(5), 20, 30)) == list(islice(documents(5, 20), 10))


def test_the_primer_gives_way_to_everything_else() -> None:
    shares = [sum(text in again for text, again in recited(start)) for start in (0, PRIMER // 2, PRIMER)]
    assert shares[0] > shares[1] > shares[2]


def recited(start: int) -> list[tuple[str, str]]:
    """Of each document, its first line and the lines after it."""
    return [(text.split("\n")[0], text.partition("\n")[2]) for text in islice(documents(3, start), 600)]


def test_the_prompts_of_the_tasks_are_a_minority() -> None:
    stream = list(islice(documents(3, PRIMER), 4000))
    prompted = [text for text in stream if re.search(r"(?m)^(Sentiment|情感|Answer|答案)[:：]", text)]
    assert 0.1 < len(prompted) / len(stream) < 0.2
    assert PROMPTED / sum(KINDS_OF_TEXT.values()) < 0.2
    assert any("\n\n" in text for text in prompted)
