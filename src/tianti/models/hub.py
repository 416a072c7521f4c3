"""Models on the Hugging Face hub: resolved to a commit, and fetched at that commit."""

from __future__ import annotations

import re
from pathlib import Path

from tianti.core.exceptions import ModelError
from tianti.models.folder import MODEL_FILES

_COMMIT = re.compile(r"^[0-9a-f]{40}$")


def resolve(repository: str, revision: str | None) -> str:
    """The 40-hex commit that `revision` (a branch, tag or commit; None is the main branch) stands for now.

    A full commit stands for itself, without asking the hub.

    Raises:
        ModelError: there is no such repository or revision, or the hub cannot be reached.
    """
    if revision is not None and _COMMIT.match(revision):
        return revision
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    title = repository if revision is None else f"{repository}@{revision}"
    try:
        commit = HfApi().model_info(repository, revision=revision).sha
    except RevisionNotFoundError as error:
        raise ModelError(
            f"{title}: no such revision on the hub", remedy="name a branch, a tag or a commit"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"{title}: no such model on the hub, or it is private or gated",
            remedy="check the spelling; for a gated model accept its terms on its page, then: hf auth login",
        ) from error
    except Exception as error:  # httpx, OSError, offline mode: the library lets all kinds through
        raise ModelError(
            f"{title}: the hub cannot be reached ({type(error).__name__}: {_first_line(error)})",
            remedy="go online, name a local folder, or pin a commit that is in the cache: org/name@<40 hex>",
        ) from error
    if commit is None:
        raise ModelError(f"{title}: the hub names no commit for it", remedy="pin one: org/name@<40 hex>")
    return commit


def fetch(repository: str, commit: str) -> Path:
    """The folder with the model's files at `commit`, downloaded unless it lies in the hub's cache.

    Weights come as safetensors only.

    Raises:
        ModelError: the files cannot be had.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, revision=commit, allow_patterns=list(MODEL_FILES)))
    except Exception as error:
        raise ModelError(
            f"{repository}@{commit}: cannot be downloaded ({type(error).__name__}: {_first_line(error)})",
            remedy="go online once, or download it elsewhere and name the folder",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
