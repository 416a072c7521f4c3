"""Loading: the weights of the folder and nothing else, on the device and in the dtype that were asked for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fake_vllm import LLM, vllm
from tianti.core.exceptions import IncompatibleError, ModelError
from tianti.models import LoadOptions, from_objects, load_model, loading, open_model
from tianti.models import reference as references
from tiny import tiny_bart, tiny_bert, tiny_gpt2, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

__all__ = ["vllm"]

NETWORKS = {"llama": tiny_llama, "gpt2": tiny_gpt2, "bert": tiny_bert}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_llama().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_and_loaded_is_the_same(name: str, tmp_path: Path) -> None:
    original = NETWORKS[name]()
    original.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    loaded = load_model(open_model(tmp_path))
    network, tokenizer = loaded.pair()
    assert type(network) is type(original)
    assert not network.training
    ids = torch.tensor([tokenizer("Anna bakes bread.")["input_ids"]])
    assert torch.equal(network(input_ids=ids)[0], original(input_ids=ids)[0])


def test_half_precision_weights_become_float32_on_a_cpu(tmp_path: Path) -> None:
    tiny_llama().half().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = open_model(tmp_path)
    assert load_model(model, LoadOptions(device="cpu")).pair()[0].dtype == torch.float32
    assert load_model(model, LoadOptions("cpu", "float16")).pair()[0].dtype == torch.float16


def test_the_dtype_of_the_weights_is_kept_on_a_gpu() -> None:
    assert loading.find_dtype("auto", torch.device("cuda")) is None
    assert loading.find_dtype("bfloat16", torch.device("cuda")) == torch.bfloat16


def test_bfloat16_on_a_plain_cpu_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_fast_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="slower"):
        assert loading.find_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16
    monkeypatch.setattr(loading, "_fast_bfloat16", lambda: True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loading.find_dtype("bfloat16", torch.device("cpu"))


def test_unknown_dtypes_and_devices_say_what_there_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    model = open_model(folder)
    with pytest.raises(ModelError, match="there is cpu"):
        load_model(model, LoadOptions(device="cuda"))
    with pytest.raises(ModelError, match="float32"):
        load_model(model, LoadOptions(device="cpu", dtype="float64"))
    assert loading.find_device("auto") == torch.device("cpu")


def test_a_device_number_beyond_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert loading.find_device("auto") == torch.device("cuda")
    assert loading.find_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ModelError, match="cuda:0, cuda:1"):
        loading.find_device("cuda:2")


def test_a_device_is_checked_before_anything_is_loaded() -> None:
    loading.check_device("auto")
    loading.check_device("cpu")
    with pytest.raises(ModelError, match="no device 'gpu' here; there is cpu"):
        loading.check_device("gpu")


def test_weights_that_lack_a_tensor_are_not_filled_with_random_numbers(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"up_proj"):
        load_model(open_model(folder))


def test_weights_of_another_shape(folder: Path) -> None:
    tiny_llama(intermediate_size=48).save_pretrained(folder)
    tiny_llama().config.save_pretrained(folder)
    with pytest.raises(ModelError):
        load_model(open_model(folder))


def test_an_encoder_without_its_pooler_is_whole(tmp_path: Path) -> None:
    network = tiny_bert()
    network.pooler = None
    network.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    assert load_model(open_model(tmp_path)).pair()[0].num_parameters() > 0


def test_a_broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="tokenizer cannot be loaded"):
        load_model(open_model(folder))


def test_the_untrained_twin_has_fresh_weights_every_time_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "nano_folder", lambda name: folder)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second = (load_model(open_model("nano:llama-untrained")).pair()[0] for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    trained = load_model(open_model("nano:llama")).pair()[0]
    name = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(first.get_parameter(name), second.get_parameter(name))
    assert not torch.equal(first.get_parameter(name), trained.get_parameter(name))


def test_a_baseline_has_nothing_to_load() -> None:
    loaded = load_model(open_model("baseline:majority"))
    assert loaded.network is None
    with pytest.raises(AssertionError, match="no network"):
        loaded.pair()


def test_objects_are_pinned_by_their_content() -> None:
    def print_of(network: Any, tokenizer: Any) -> str:
        return from_objects(network, tokenizer).model.fingerprint

    same = print_of(tiny_llama(), tiny_tokenizer())
    assert print_of(tiny_llama(), tiny_tokenizer()) == same
    assert print_of(tiny_llama(seed=1), tiny_tokenizer()) != same
    assert print_of(tiny_llama(), tiny_tokenizer(add_bos=True)) != same
    assert print_of(tiny_llama(rms_norm_eps=1e-3), tiny_tokenizer()) != same


def test_objects_stay_as_they_are() -> None:
    network = tiny_gpt2().to(torch.bfloat16)
    loaded = from_objects(network, tiny_tokenizer(), "mine", batch=4)
    assert loaded.network is network
    assert loaded.model.name == "mine"
    assert loaded.options == LoadOptions("cpu", "bfloat16", 4)
    with pytest.raises(ModelError, match="in memory only"):
        load_model(loaded.model)


def test_objects_of_another_kind() -> None:
    from transformers import BartModel, LlamaModel

    with pytest.raises(ModelError, match="LlamaModel"):
        from_objects(LlamaModel(tiny_llama().config), tiny_tokenizer())
    with pytest.raises(ModelError, match="BartModel"):
        from_objects(BartModel(tiny_bart().config), tiny_tokenizer())


@pytest.mark.parametrize(
    ("network", "architecture"),
    [
        (tiny_t5(), "seq2seq"),
        (tiny_bart(), "seq2seq"),
        (tiny_masked(), "masked"),
        (tiny_masked("Roberta"), "masked"),
    ],
)
def test_every_architecture_comes_back_from_its_folder(
    network: Any, architecture: str, tmp_path: Path
) -> None:
    network.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = open_model(tmp_path)
    assert model.architecture == from_objects(network, tiny_tokenizer()).model.architecture == architecture
    loaded, _ = load_model(model).pair()
    assert type(loaded) is type(network)
    for (name, tensor), other in zip(network.state_dict().items(), loaded.state_dict().values(), strict=True):
        assert torch.equal(tensor, other), name


def test_a_masked_model_without_its_head_is_not_filled_with_random_numbers(tmp_path: Path) -> None:
    network = tiny_masked()
    network.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["cls.predictions.transform.dense.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"transform\.dense\.weight"):
        load_model(open_model(tmp_path))


def test_vllm_holds_the_weights_of_a_causal_model(
    folder: Path, vllm: type[LLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LLM, "network", tiny_llama())
    loaded = load_model(open_model(folder), LoadOptions(batch=4, engine="vllm"))
    assert isinstance(loaded.llm, LLM)
    assert loaded.network is None
    (options,) = LLM.started
    assert options["model"] == str(folder.resolve())
    # Half precision, which vLLM takes for float32 weights on its own, would be another model.
    assert options["dtype"] == "float32"
    assert options["max_num_seqs"] == 4


def test_what_vllm_cannot_run(
    folder: Path, tmp_path: Path, vllm: type[LLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="takes the GPU"):
        load_model(open_model(folder), LoadOptions(device="cpu", engine="vllm"))
    encoder = tmp_path / "encoder"
    tiny_bert().save_pretrained(encoder)
    tiny_tokenizer().save_pretrained(encoder)
    with pytest.raises(IncompatibleError, match=r"encoder[\s\S]*leave the engine"):
        load_model(open_model(encoder), LoadOptions(engine="vllm"))
    monkeypatch.setattr(references, "nano_folder", lambda name: folder)
    with pytest.raises(IncompatibleError, match="fresh"):
        load_model(open_model("nano:llama-untrained"), LoadOptions(engine="vllm"))
    assert LLM.started == []
