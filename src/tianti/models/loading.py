"""Weights into memory, by transformers: safetensors only, and never code that comes with a model."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tianti.core.exceptions import IncompatibleError, MissingExtraError, ModelError
from tianti.core.fingerprint import fingerprint
from tianti.models.folder import architecture_of, read_config
from tianti.models.model import LoadedModel, LoadOptions, Model
from tianti.models.nano import untrained
from tianti.models.reference import UNTRAINED, UNTRAINED_SEED

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = ("auto", "float32", "bfloat16", "float16")

READERS = {
    "causal": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "masked": "AutoModelForMaskedLM",
    "encoder": "AutoModel",
}
"""The class of transformers that reads the weights of each architecture."""


def load_model(model: Model, options: LoadOptions | None = None) -> LoadedModel:
    """Bring the weights of `model` into memory, on the device and in the dtype of `options`, ready to answer.

    Raises:
        ModelError: weights, config and tokenizer do not fit together, or device or dtype are not to be had.
        IncompatibleError: the engine cannot run this model.
        MissingExtraError: the engine is not installed.
    """
    options = options or LoadOptions()
    if model.architecture == "baseline":
        return LoadedModel(model, options)
    if model.path is None:
        raise ModelError(
            f"{model.name}: this model lived in memory only", remedy="pass the network and tokenizer again"
        )
    if options.engine == "vllm":
        return _start_vllm(model, model.path, options)
    device = find_device(options.device)
    dtype = find_dtype(options.dtype, device)
    if model.source == "nano" and model.name.endswith(UNTRAINED):
        network: PreTrainedModel = untrained(model.path, UNTRAINED_SEED)
    else:
        network = _read_network(model, dtype)
    if dtype is not None:
        network.to(dtype)  # type: ignore[arg-type]  # transformers types `to` by its first argument only
    network.to(device)  # type: ignore[arg-type]
    network.train(False)
    return LoadedModel(model, options, network, read_tokenizer(model.path))


def from_objects(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase | None, name: str = "", batch: Any = "auto"
) -> LoadedModel:
    """A model that is in memory already. It stays on its device and in its dtype.

    The fingerprint is the sha256 over the tensors of its state dict, its config and its tokenizer.

    Raises:
        ModelError: it is of no architecture that can be used, or the tokenizer is none.
    """
    if not hasattr(network, "state_dict") or not hasattr(network, "config"):
        raise ModelError(
            f"model: expected a model of transformers, got {network!r:.60} ({type(network).__name__})",
            remedy='pass the model object, or name a model: "nano:llama", "./folder", "org/name@revision"',
        )
    if tokenizer is None:
        raise ModelError("a model object was given without its tokenizer", remedy="pass tokenizer=…")
    if not callable(tokenizer):
        raise ModelError(
            f"tokenizer: expected a tokenizer of transformers, got {tokenizer!r:.60} ({type(tokenizer).__name__})",
            remedy='pass AutoTokenizer.from_pretrained("./folder")',
        )
    name = name or Path(getattr(network.config, "_name_or_path", "") or type(network).__name__).name
    config = network.config.to_dict() | {"architectures": [type(network).__name__]}
    model = Model(
        name=name,
        source="object",
        architecture=architecture_of(config, name),
        fingerprint=_object_fingerprint(network, tokenizer),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    dtype = str(network.dtype).removeprefix("torch.")
    return LoadedModel(model, LoadOptions(str(network.device), dtype, batch), network, tokenizer)


def check_device(name: str) -> None:
    """Raise ModelError where `find_device` would; `auto`, which always finds one, costs no import of torch."""
    if name != "auto":
        find_device(name)


def check_engine(name: str) -> None:
    """Raise MissingExtraError where the engine is not installed."""
    if name == "vllm" and importlib.util.find_spec("vllm") is None:
        raise MissingExtraError("vllm", "vllm", "the engine vllm")


def find_device(name: str) -> torch.device:
    """The device `name`; `auto` is the first CUDA device if there is one, otherwise the CPU.

    Raises:
        ModelError: it is not there; names those that are.
    """
    import torch

    present = ["cpu"]
    if torch.cuda.is_available():
        present += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    if name == "auto":
        return torch.device("cuda" if "cuda" in present else "cpu")
    if name not in present:
        raise ModelError(
            f"no device {name!r} here; there is {', '.join(present)}",
            remedy="choose one of them, or --device auto",
        )
    return torch.device(name)


def find_dtype(name: str, device: torch.device) -> torch.dtype | None:
    """The dtype `name` on `device`; None stands for the dtype of the weights (`auto` on a GPU).

    Raises:
        ModelError: no such dtype.
    """
    import torch

    if name not in DTYPES:
        raise ModelError(f"unknown dtype {name!r}", remedy=f"choose one of {', '.join(DTYPES)}")
    if name == "auto":
        return torch.float32 if device.type == "cpu" else None
    if name == "bfloat16" and device.type == "cpu" and not _fast_bfloat16():
        warnings.warn(
            "this CPU has no bfloat16 arithmetic (AVX512-BF16 or AMX): many times slower than float32",
            stacklevel=2,
        )
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _fast_bfloat16() -> bool:
    import torch

    checks = (
        getattr(torch.cpu, check, None) for check in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return any(check is not None and check() for check in checks)


def _read_network(model: Model, dtype: torch.dtype | None) -> PreTrainedModel:
    import transformers

    reader: Any = getattr(transformers, READERS[model.architecture])
    try:
        with _quiet():
            network, report = reader.from_pretrained(
                model.path,
                dtype=dtype or "auto",
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:  # whatever transformers meets in a bad folder is the folder's fault
        raise unreadable(model, error) from error
    # transformers fills what the files lack with random numbers; that would be another model.
    missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    mismatched = sorted(str(entry[0]) for entry in report["mismatched_keys"])
    if missing or mismatched:
        raise ModelError(
            f"{model.name}: weights and config.json do not fit: {len(missing)} tensors are missing, "
            f"{len(mismatched)} have another shape; the first is {(missing or mismatched)[0]}",
            remedy="save model and config together: save_pretrained(FOLDER)",
        )
    loaded: PreTrainedModel = network
    return loaded


def unreadable(model: Model, error: Exception) -> ModelError:
    """The error for what transformers says of a bad folder, whatever it is."""
    return ModelError(f"{model.name}: transformers cannot load it ({type(error).__name__}: {error})")


def check_vllm(model: Model, options: LoadOptions) -> None:
    """Ask whether vLLM runs this model; that it is installed is not asked.

    Raises:
        IncompatibleError: it is no causal language model, or one without a folder of weights.
        ModelError: another device than vLLM's own is asked for.
    """
    if model.architecture != "causal" or model.name.endswith(UNTRAINED):
        kind = "its weights are fresh" if model.architecture == "causal" else f"it is {model.architecture}"
        raise IncompatibleError(
            f"the engine vllm does not fit {model.name}: {kind}, and vLLM runs trained causal language models here",
            remedy="leave the engine at transformers",
        )
    if options.device not in ("auto", "cuda"):
        raise ModelError(
            f"vLLM takes the GPU that CUDA shows first, not the device {options.device!r}",
            remedy="leave the device at auto; CUDA_VISIBLE_DEVICES chooses among several",
        )


def _start_vllm(model: Model, path: Path, options: LoadOptions) -> LoadedModel:
    """The model in the hands of vLLM.

    Raises:
        IncompatibleError, ModelError: as `check_vllm`.
        MissingExtraError: vLLM is not installed.
    """
    check_vllm(model, options)
    from tianti.engine.vllm import start_vllm

    dtype = options.dtype
    if dtype == "auto":
        # vLLM's own `auto` makes half precision of float32 weights.
        config = read_config(path / "config.json")
        dtype = str(config.get("dtype") or config.get("torch_dtype") or "auto")
    llm = start_vllm(str(path), dtype=dtype, batch=options.batch)
    return LoadedModel(model, options, tokenizer=read_tokenizer(path), llm=llm)


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers' own progress bar and report of loading are off: we show our own, and raise what is wrong."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def read_tokenizer(path: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder; a ModelError where there is none that can be read."""
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            path, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise ModelError(
            f"{path}: the tokenizer cannot be loaded ({type(error).__name__}: {error})",
            remedy="save it again: tokenizer.save_pretrained(FOLDER)",
        ) from error
    return tokenizer


def _object_fingerprint(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str:
    import torch

    tensors = {}
    for name, tensor in sorted(network.state_dict().items()):
        raw = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
        tensors[name] = [
            str(tensor.dtype),
            list(tensor.shape),
            hashlib.sha256(raw.numpy().tobytes()).hexdigest(),
        ]
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(
            f"{type(tokenizer).__name__}: a slow tokenizer has no fingerprint",
            remedy="use a fast one (PreTrainedTokenizerFast)",
        )
    special = {key: str(value) for key, value in tokenizer.special_tokens_map.items()}
    config = network.config.to_json_string(use_diff=False)
    template = getattr(tokenizer, "chat_template", None)
    return fingerprint(
        {"tensors": tensors, "config": config, "tokenizer": backend.to_str(), "special": special}
        | ({} if template is None else {"chat_template": template})
    )
