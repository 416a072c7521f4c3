"""Model folders: what must lie in one, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from tianti.core.exceptions import ModelError
from tianti.models import open_model
from tianti.models.folder import architecture_of, count_parameters
from tiny import tiny_bart, tiny_bert, tiny_gpt2, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    tiny_llama().save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return path


def refused(path: Path, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(path)
    for word in words:
        assert word in str(caught.value)


def test_without_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    refused(folder, "no config.json", "save_pretrained")
    (folder / "adapter_config.json").write_text("{}")
    refused(folder, "adapter", "base model")


def test_without_tokenizer_it_says_which_files_are_expected(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    refused(folder, "no tokenizer", "tokenizer.json", "vocab.txt", "tokenizer.save_pretrained")


def test_without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    refused(folder, "no weights")


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt", "model.pkl", "last.ckpt"]
)
def test_pickle_weights_are_refused_by_name(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / name)
    refused(folder, "pickle", name, "safetensors")


def test_a_pickle_beside_safetensors_is_never_read(folder: Path) -> None:
    before = open_model(folder).fingerprint
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": 1}))
    assert open_model(folder).fingerprint == before


@pytest.mark.parametrize(
    "write", [lambda path: torch.save({}, path), lambda path: path.write_bytes(pickle.dumps({}))]
)
def test_pickles_are_refused_by_content(folder: Path, write: Any) -> None:
    write(folder / "model.safetensors")
    refused(folder, "pickle under the name of safetensors")


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    for name, word in (("weights.pt", "pickle"), ("notes.txt", "expected a folder")):
        (tmp_path / name).write_bytes(b"words")
        refused(tmp_path / name, word)
    torch.save({}, tmp_path / "disguised")
    refused(tmp_path / "disguised", "pickle")


@pytest.mark.parametrize("kept", [0.5, 0.001])
def test_broken_safetensors(folder: Path, kept: float) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(folder, "broken safetensors", "model.safetensors")


def test_a_shard_that_is_missing(folder: Path) -> None:
    index = {"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(folder, "model-00002-of-00002.safetensors is missing")
    (folder / "model.safetensors.index.json").write_text("{")
    refused(folder, "not an index")


def test_shards_are_counted_once(tmp_path: Path) -> None:
    tiny_llama().save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert count_parameters(tmp_path) == tiny_llama().num_parameters()


def test_code_that_comes_with_a_model_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Evil"}
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "auto_map", "code")


@pytest.mark.parametrize(("text", "word"), [("{", "JSON"), ("[]", "expected an object"), ("\udcff", "JSON")])
def test_a_broken_config(folder: Path, text: str, word: str) -> None:
    (folder / "config.json").write_text(text, errors="surrogateescape")
    refused(folder, "config.json", word)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (tiny_llama, "causal"),
        (tiny_gpt2, "causal"),
        (tiny_bert, "encoder"),
        (tiny_t5, "seq2seq"),
        (tiny_bart, "seq2seq"),
    ],
)
def test_architectures_of_real_configs(network: Any, expected: str, tmp_path: Path) -> None:
    network().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert architecture_of(config, "here") == expected
    del config["architectures"]
    assert architecture_of(config, "here") == expected


def test_an_encoder_is_masked_when_it_has_its_head(tmp_path: Path) -> None:
    tiny_masked().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert architecture_of(config, "here") == "masked"
    for other in (["BertForSequenceClassification"], ["BertModel"], ["BertForPreTraining"], []):
        assert architecture_of(config | {"architectures": other}, "here") == "encoder"


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (
            {"model_type": "t5", "architectures": ["T5EncoderModel"], "is_encoder_decoder": True},
            "T5EncoderModel",
        ),
        ({"model_type": "bart", "architectures": ["BartModel"], "is_encoder_decoder": True}, "BartModel"),
        (
            {
                "model_type": "whisper",
                "architectures": ["WhisperForConditionalGeneration"],
                "is_encoder_decoder": True,
            },
            "Whisper",
        ),
        ({"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]}, "Gemma3For"),
        ({"model_type": "vit", "architectures": ["ViTForImageClassification"]}, "ViTForImageClassification"),
        ({"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]}, "supported"),
        ({}, "without architecture"),
    ],
)
def test_architectures_that_do_not_fit(config: dict[str, Any], word: str) -> None:
    with pytest.raises(ModelError, match=word):
        architecture_of(config, "here")
