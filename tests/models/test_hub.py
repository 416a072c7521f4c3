"""Hub models: resolved to a commit and fetched at it, with huggingface_hub's answers stubbed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError, RevisionNotFoundError

from tianti.core.exceptions import ModelError
from tianti.models import load_model, open_model
from tiny import tiny_llama, tiny_tokenizer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Answers like the hub, and notes what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self.commit: str | None = COMMIT

    def model_info(self, repository: str, revision: str | None = None) -> Any:
        self.asked.append(("info", repository, revision))
        if self.error:
            raise self.error
        return SimpleNamespace(sha=self.commit)

    def snapshot_download(self, repository: str, revision: str, allow_patterns: list[str]) -> str:
        self.asked.append(("download", repository, revision))
        if self.error:
            raise self.error
        assert not any(pattern.endswith((".bin", ".py", ".pt", "*")) for pattern in allow_patterns)
        return str(self.folder)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    tiny_llama().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    stub = Hub(tmp_path)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: stub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", stub.snapshot_download)
    return stub


def missing(kind: type[Exception]) -> Exception:
    return kind("404", response=SimpleNamespace(headers={}, request=None, status_code=404))  # type: ignore[call-arg]


@pytest.mark.parametrize(("reference", "revision"), [("org/name", None), ("org/name@v1.0", "v1.0")])
def test_a_branch_is_resolved_to_its_commit(hub: Hub, reference: str, revision: str | None) -> None:
    model = open_model(reference)
    assert (model.name, model.source, model.revision) == ("org/name", "hub", COMMIT)
    assert hub.asked == [("info", "org/name", revision), ("download", "org/name", COMMIT)]
    assert model.parameters == tiny_llama().num_parameters()
    assert load_model(model).pair()[0].config.model_type == "llama"


def test_a_full_commit_needs_no_asking(hub: Hub) -> None:
    assert open_model(f"org/name@{COMMIT}").revision == COMMIT
    assert hub.asked == [("download", "org/name", COMMIT)]


def test_the_fingerprint_is_of_the_commit(hub: Hub) -> None:
    first = open_model("org/name").fingerprint
    assert open_model(f"org/name@{COMMIT}").fingerprint == first
    hub.commit = COMMIT[::-1]
    assert open_model("org/name").fingerprint != first


def test_without_the_hub(hub: Hub) -> None:
    for error in (OfflineModeIsEnabled("offline"), ConnectionError("no route")):
        hub.error = error
        with pytest.raises(ModelError, match=r"cannot be reached[\s\S]*local folder"):
            open_model("org/name")
        with pytest.raises(ModelError, match=r"cannot be downloaded[\s\S]*go online"):
            open_model(f"org/name@{COMMIT}")


def test_what_is_not_on_the_hub(hub: Hub) -> None:
    hub.error = missing(RepositoryNotFoundError)
    with pytest.raises(ModelError, match="no such model"):
        open_model("org/name")
    hub.error = missing(RevisionNotFoundError)
    with pytest.raises(ModelError, match="no such revision"):
        open_model("org/name@nothing")
    hub.error, hub.commit = None, None
    with pytest.raises(ModelError, match="no commit"):
        open_model("org/name")
