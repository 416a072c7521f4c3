"""Planted copies are found, what only looks alike is not; figures of real data sets."""

import json
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data_folder import REAL_DATA
from tianti.tasks import load_tasks
from tianti.tasks.overlap import Overlap, find_overlap

WORDS = st.text("abcdefgh", min_size=1, max_size=4)
TEXTS = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)


def _find(items: Sequence[str], examples: Sequence[str], language: str = "en") -> Overlap:
    return find_overlap([[item] for item in items], examples, language)


def _text(rng: random.Random, words: int = 60) -> list[str]:
    return [f"w{rng.randrange(5000)}" for _ in range(words)]


@given(st.lists(TEXTS, min_size=1, max_size=8), st.lists(TEXTS, max_size=8), st.data())
@settings(max_examples=60, deadline=None)
def test_planted_copies_are_always_found(items, others, data):
    planted = data.draw(st.lists(st.sampled_from(range(len(items))), min_size=1, unique=True))
    dressed = [items[index].upper().replace(" ", "  ") + " !" for index in planted]
    found = _find(items, [*others, *dressed])
    assert found.exact[planted].all()
    assert (found.covered[planted] == 1).all()
    assert found.overlapping[planted].all()
    assert not (found.exact & found.near).any()


@given(
    st.lists(TEXTS, min_size=1, max_size=8),
    st.lists(st.text("stuvwxyz 。天地人", min_size=1, max_size=80), max_size=8),
    st.sampled_from(["en", "zh"]),
)
@settings(max_examples=60, deadline=None)
def test_what_shares_no_letter_never_overlaps(items, examples, language):
    found = _find(items, examples, language)
    assert not found.overlapping.any()
    assert not found.covered.any()


@given(st.permutations(range(12)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_examples_changes_nothing(order):
    rng = random.Random(0)
    texts = [" ".join(_text(rng)) for _ in range(12)]
    items = [*texts[:3], texts[4].replace("w", "w ", 1), " ".join(_text(rng))]
    one, other = _find(items, texts), _find(items, [texts[place] for place in order])
    assert np.array_equal(one.overlapping, other.overlapping)
    assert np.array_equal(one.covered, other.covered)


def test_one_word_of_sixty_changed_is_near_and_half_the_words_is_not():
    rng = random.Random(1)
    texts = [_text(rng) for _ in range(100)]
    one_word = [" ".join([*text[:30], "other", *text[31:]]) for text in texts]
    half = [" ".join([*text[:30], *_text(rng, 30)]) for text in texts]
    examples = [" ".join(text) for text in texts]
    near = _find(one_word, examples)
    assert near.near.all()
    assert not near.exact.any()
    assert near.covered.mean() == pytest.approx(1 - 13 / 48)
    apart = _find(half, examples)
    assert not apart.overlapping.any()
    assert apart.covered.mean() == pytest.approx(18 / 48)


def test_an_item_inside_a_long_text_is_covered():
    rng = random.Random(2)
    item = _text(rng)
    found = _find([" ".join(item)], [" ".join([*_text(rng, 500), *item, *_text(rng, 500)])])
    assert not found.exact[0]
    assert not found.near[0]
    assert found.covered[0] == 1
    assert found.overlapping[0]


def test_a_template_is_no_copy():
    """A long instruction before short questions would make every two samples near duplicates."""
    rng = random.Random(3)
    header = " ".join(_text(rng, 100))
    made = [
        f"{header} Question: what is {rng.randrange(10**6)} plus {rng.randrange(10**6)}? Answer:"
        for _ in range(60)
    ]
    found = _find(made[:30], made[30:])
    assert not found.overlapping.any()
    assert not found.covered.any()
    copied = _find(made[:30], [*made[30:], *made[:2]])
    assert copied.overlapping.nonzero()[0].tolist() == [0, 1]


def test_a_chinese_sentence_with_one_character_changed_is_near():
    text = (
        "从前有一个小镇坐落在河边镇上的面包师每天清晨都烤出香喷喷的面包孩子们放学后总爱跑去他的店里买甜饼吃"
    )
    changed = text.replace("清晨", "早晨")
    other = "冬天的湖面结了厚厚的冰人们穿着大衣在上面滑行远处的山顶盖满白雪炉子里的火整天烧着屋里十分暖和安静"
    found = _find([text, changed, other], [text + "。"], "zh")
    assert found.exact.tolist() == [True, False, False]
    assert found.near.tolist() == [False, True, False]
    assert found.sizes.unit == "characters"


def test_any_of_several_right_answers_may_be_the_one_learned():
    found = find_overlap([["Who? Anna", "Who? Ben"], ["Who? Carl"]], ["Who? Ben"])
    assert found.exact.tolist() == [True, False]


def test_texts_of_signs_alone_are_compared_as_they_are():
    assert _find(["!!!", "???"], ["!!!", ""]).exact.tolist() == [True, False]


@pytest.mark.parametrize("kind", ["sentiment", "commonsense", "qa"])
@pytest.mark.parametrize("language", ["", "-zh"])
def test_the_nano_world_gives_no_test_item_away(kind, language):
    (task,) = load_tasks(f"nano/{kind}{language}")
    texts = {
        split: [sample.text + " " + sample.target for sample in task.samples(split)]
        for split in ("train", "validation", "test", "fresh")
    }
    for tested in ("test", "fresh"):
        found = _find(texts[tested], texts["train"] + texts["validation"], task.info.language)
        assert not found.overlapping.any()
        assert found.examples == 356


def _sst2(name: str) -> list[str]:
    lines = (REAL_DATA / "sst2" / name).read_text(encoding="utf-8").split("\n")[1:]
    return [line.replace("\t", " ") for line in lines if line.strip()]


@pytest.mark.real_data
@pytest.mark.skipif(not (REAL_DATA / "sst2").is_dir(), reason="no real data beside the checkout")
def test_sst2_test_is_clean_and_its_phrases_are_not():
    """The rows of train and dev are phrases of the same sentences; the test set is of other films."""
    train = _sst2("train.tsv")
    test = _find(_sst2("test.tsv"), train)
    assert (len(test.exact), test.exact.sum(), test.near.sum(), test.overlapping.sum()) == (872, 2, 0, 2)
    dev = _find(_sst2("dev.tsv"), train)
    assert (len(dev.exact), dev.exact.sum(), dev.near.sum(), dev.overlapping.sum()) == (6735, 530, 1125, 1852)


@pytest.mark.real_data
@pytest.mark.skipif(not (REAL_DATA / "gsm8k").is_dir(), reason="no real data beside the checkout")
def test_gsm8k_shares_next_to_nothing_with_its_training_split():
    def read(name: str) -> list[str]:
        with (REAL_DATA / "gsm8k" / name).open(encoding="utf-8") as lines:
            return [json.loads(line)["question"] for line in lines]

    found = _find(read("test.jsonl"), read("train.jsonl"))
    assert (len(found.exact), found.overlapping.sum()) == (1319, 0)
    assert 0 < found.covered.mean() < 0.001
