"""References: how a person names a model, and the pinned Model that the name stands for.

| reference                | stands for                                              |
|--------------------------|---------------------------------------------------------|
| `nano:llama`             | a model of the built-in world                           |
| `nano:llama-untrained`   | the same network with fresh weights                     |
| `baseline:tfidf`         | a classical baseline                                    |
| `./my-model`             | a transformers folder                                   |
| `org/name`, `…@revision` | a model on the Hugging Face hub, pinned to its commit   |
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tianti.core.call import refuse_list
from tianti.core.exceptions import ModelError, UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.models import hub
from tianti.models.baselines import BASELINES, open_baseline
from tianti.models.folder import (
    architecture_of,
    check_folder,
    count_parameters,
    folder_fingerprint,
    read_config,
    refuse_pickle_file,
)
from tianti.models.model import Architecture, Model
from tianti.models.nano import NANO, nano_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

UNTRAINED = "-untrained"
UNTRAINED_SEED = 0
"""Decides the fresh weights of an untrained model."""


def list_models() -> dict[str, str]:
    """The models that come with the package: reference → one line about it."""
    listed = {}
    for name, summary in NANO.items():
        listed[f"nano:{name}"] = summary
        listed[f"nano:{name}{UNTRAINED}"] = (
            f"the same network as nano:{name} with fresh weights: what chance looks like"
        )
    return listed | {f"baseline:{name}": summary for name, summary in BASELINES.items()}


def open_model(reference: str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> Model:
    """Resolve and fingerprint a model without reading its weights into memory.

    A hub model is downloaded unless it lies in the hub's cache. A pair of network and tokenizer in memory
    stands for itself (see `from_objects`).

    Raises:
        UnknownNameError: no such built-in model.
        ModelError: the folder or hub model cannot be used; says why and what to do.
    """
    if isinstance(reference, tuple):
        from tianti.models.loading import from_objects

        return from_objects(*reference).model
    text = str(reference)
    if not Path(text).expanduser().exists():
        refuse_list(text)
    prefix, colon, name = text.partition(":")
    if colon and prefix == "nano":
        return _open_nano(name)
    if colon and prefix == "baseline":
        if name not in BASELINES:
            raise UnknownNameError("model", text, list_models())
        return open_baseline(name)
    path = Path(text).expanduser()
    if path.exists():
        return replace(open_folder(path), reference=text)
    return _open_elsewhere(text)


def open_folder(path: Path) -> Model:
    """A local transformers folder."""
    if not path.is_dir():
        refuse_pickle_file(path)
    # A link keeps the name that the user gave it; ~, . and .. have none of their own.
    name = Path(os.path.abspath(path)).name  # noqa: PTH100 (Path.absolute keeps .., resolve follows links)
    path = path.resolve()
    architecture, parameters = _inspect(path)
    return Model(name, "folder", architecture, folder_fingerprint(path), path, parameters=parameters)


def _inspect(path: Path) -> tuple[Architecture, int]:
    """Architecture and number of parameters of a sound model folder."""
    check_folder(path)
    config = read_config(path / "config.json")
    return architecture_of(config, str(path)), count_parameters(path)


def _open_nano(name: str) -> Model:
    """A nano model; an untrained one has the folder of its twin, for config and tokenizer."""
    twin = name.removesuffix(UNTRAINED)
    if twin not in NANO:
        raise UnknownNameError("model", f"nano:{name}", list_models())
    folder = nano_folder(twin)
    if not folder.is_dir():
        raise ModelError(f"nano:{twin}: its weights are not in this checkout ({folder})", remedy="make nano")
    trained = open_folder(folder)
    print_ = trained.fingerprint
    if name.endswith(UNTRAINED):
        print_ = fingerprint({"untrained": trained.fingerprint, "seed": UNTRAINED_SEED})
    return Model(
        f"nano:{name}", "nano", trained.architecture, print_, trained.path, parameters=trained.parameters
    )


def _open_elsewhere(text: str) -> Model:
    """What is neither built in nor on disk: a hub id, or a mistake."""
    repository, _, revision = text.partition("@")
    looks_like_path = text.startswith((".", "/", "~")) or "\\" in text
    if (
        not looks_like_path
        and repository.count("/") == 1
        and ":" not in repository
        and all(repository.split("/"))
    ):
        return _open_hub(repository, revision or None)
    if ":" in text or "/" not in text:
        raise UnknownNameError(
            "model",
            text,
            list_models(),
            remedy="or name a folder (./my-model) or a hub model (org/name@revision)",
        )
    raise ModelError(
        f"{text}: no such folder", remedy="check the path; a hub model is named org/name[@revision]"
    )


def _open_hub(repository: str, revision: str | None) -> Model:
    """The commit pins the files, so the fingerprint is made of it: gigabytes need not be hashed each time."""
    commit = hub.resolve(repository, revision)
    path = hub.fetch(repository, commit)
    architecture, parameters = _inspect(path)
    print_ = fingerprint({"hub": repository, "commit": commit})
    return Model(repository, "hub", architecture, print_, path, revision=commit, parameters=parameters)
