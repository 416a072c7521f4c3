"""Tokenizers: trained ones lose nothing and bring what their architecture needs; given ones are checked for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tianti.adapt.pretrain import FileCorpus, Pretraining
from tianti.adapt.pretrain.tokenizer import SENTINELS, read_tokenizer, sentinel_ids, train_tokenizer
from tianti.core.exceptions import IncompatibleError, ModelError
from tiny import tiny_tokenizer

TRAINED = train_tokenizer(["The town by the river. 小镇在河边。"] * 4, Pretraining(vocabulary=400))


@given(st.text())
def test_no_text_is_lost(text: str) -> None:
    assert TRAINED.decode(TRAINED.encode(text)) == text.encode("utf-8", "replace").decode()


def test_it_has_what_its_architecture_needs(
    corpus: FileCorpus, settings: Pretraining, tmp_path: Path
) -> None:
    train_tokenizer(corpus.sample(50), settings).save_pretrained(tmp_path)
    tokenizer = read_tokenizer(tmp_path, settings.architecture)
    assert len(tokenizer) == settings.vocabulary == len(AutoTokenizer.from_pretrained(tmp_path))
    bare = tokenizer("Mira", add_special_tokens=False)["input_ids"]
    around = {
        "bert": ([tokenizer.cls_token_id], [tokenizer.sep_token_id]),
        "t5": ([], [tokenizer.eos_token_id]),
    }
    before, after = around.get(settings.architecture, ([], []))
    assert tokenizer("Mira")["input_ids"] == [*before, *bare, *after]
    assert "米" in tokenizer.decode(tokenizer("米拉")["input_ids"])
    assert ("token_type_ids" in tokenizer("Mira")) == (settings.architecture == "bert")
    if settings.architecture == "t5":
        assert tokenizer.convert_ids_to_tokens(sentinel_ids(tokenizer)) == list(SENTINELS)


def test_a_mark_is_one_token_in_a_text_too(corpus: FileCorpus, small: Callable[..., Pretraining]) -> None:
    tokenizer = train_tokenizer(corpus.sample(50), small(architecture="bert"))
    assert tokenizer.mask_token_id in tokenizer("Mira lives in [MASK].")["input_ids"]


def test_too_small_a_vocabulary_is_refused(small: Callable[..., Pretraining]) -> None:
    with pytest.raises(IncompatibleError, match="no room for the 256 bytes and the 102 special tokens of t5"):
        train_tokenizer(["text"], small(architecture="t5", vocabulary=300))


def test_a_given_tokenizer_must_fit(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    assert len(read_tokenizer(tmp_path, "llama")) == 420
    with pytest.raises(IncompatibleError, match=r"no cls_token, sep_token, which bert needs"):
        read_tokenizer(tmp_path, "bert")
    with pytest.raises(IncompatibleError, match=r"no sentinel tokens \(<extra_id_0>"):
        read_tokenizer(tmp_path, "t5")
    with pytest.raises(ModelError, match="no tokenizer that can be loaded"):
        read_tokenizer(tmp_path / "nothing", "llama")
