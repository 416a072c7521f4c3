from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import convert_llama2c
import numpy as np
import pytest
import torch
from llama2c_reference import forward

ODD_TEXTS = [
    "",
    " ",
    " a  b ",
    "a\nb",
    "\n\n a",
    "a\n b \nc",
    "a\tb",
    "  \n  x  \n",
    "a\u3000b",
    "\r\n",
    "café, 天梯 😀",
    "▁a ▁",
    "12345",
    "<0x41>",
    "\x00",
    "aaaaaaa ababab",
    "don't — “quote”…",
]


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest) -> Path:
    from prepare import DATA

    if not DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    pytest.importorskip("sentencepiece")
    return DATA / "weights_stories260K"


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted") / "stories260k"
    convert_llama2c.main([str(source / "stories260K.bin"), str(source / "tok512.model"), str(folder)])
    return folder


@pytest.fixture(scope="module")
def network(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def test_has_the_parameters_of_the_file(network: Any) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == 260_032
    assert network.lm_head.weight is network.model.embed_tokens.weight


def test_equals_an_independent_forward_pass(source: Path, network: Any) -> None:
    tokens = [1, *np.random.default_rng(0).integers(3, 512, 70).tolist()]
    with torch.no_grad():
        logits = network(torch.tensor([tokens])).logits[0].numpy()
    np.testing.assert_allclose(logits, forward(source / "stories260K.bin", tokens), atol=1e-4)


def test_tells_the_published_story(source: Path, network: Any, tokenizer: Any) -> None:
    page = (source / "stories260K.md").read_text(encoding="utf-8")
    published = re.search(r"-t 0\.0\n(.*?)\n```", page, re.DOTALL)
    assert published is not None
    tokens = network.generate(torch.tensor([[1]]), max_new_tokens=256, do_sample=False)
    assert tokenizer.decode(tokens[0], skip_special_tokens=True) == published[1]


def test_stops_where_the_next_story_would_begin(network: Any) -> None:
    assert network.generation_config.eos_token_id == [1, 2]


def test_encodes_as_sentencepiece_does(source: Path, real_data: Path, tokenizer: Any) -> None:
    from sentencepiece import SentencePieceProcessor

    reference = SentencePieceProcessor(model_file=str(source / "tok512.model"))
    sample = (real_data / "tinystories_sample" / "tinystories_sample.txt").read_text(encoding="utf-8")
    texts = ODD_TEXTS + sample.split("\n")[:2000] + sample.split("<|endoftext|>")[:50]
    assert tokenizer("Once upon a time").input_ids == [1, 403, 407, 261, 378]
    assert tokenizer(texts).input_ids == [[1, *reference.encode(text)] for text in texts]


def test_decodes_what_it_encodes(tokenizer: Any) -> None:
    for text in ("Once upon a time, there was", "a\n b \nc", "café, 天梯 😀"):
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_can_leave_the_begin_token_to_the_reader(source: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    paths = [str(source / "stories260K.bin"), str(source / "tok512.model"), str(tmp_path)]
    convert_llama2c.main([*paths, "--no-begin"])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer("Once upon a time").input_ids == [403, 407, 261, 378]
    assert tokenizer.bos_token_id == 1


def test_refuses_a_file_that_is_cut_off(source: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.bin"
    short.write_bytes((source / "stories260K.bin").read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"264,127 numbers, but its header .* asks for 264,128"):
        convert_llama2c.read_weights(short)


def test_refuses_another_rotary_base(source: Path, tmp_path: Path) -> None:
    content = bytearray((source / "stories260K.bin").read_bytes())
    content[-8 * 512 * 4 : -4 * 512 * 4] = struct.pack("<2048f", *([0.5] * 2048))
    other = tmp_path / "other.bin"
    other.write_bytes(content)
    with pytest.raises(ValueError, match="another base"):
        convert_llama2c.read_weights(other)


def test_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match="usage"):
        convert_llama2c.main(["WEIGHTS.bin"])
