"""`tianti pretrain`: from a text to a model and its perplexity on the board, and its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tianti.cli import main
from tianti.cli.pretrain import parse_tokens
from tianti.core.exceptions import InputError
from tianti.tasks.nano import documents

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--size", "32x1x2", "--tokens", "2k", "--length", "64", "--batch", "4", "--vocabulary", "400")


@pytest.fixture
def tianti(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TIANTI_STORE", raising=False)
    lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in islice(documents(3), 60))
    Path("town.jsonl").write_text("".join(lines), "utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            main(["pretrain", *arguments])
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_causal_model_lands_on_the_board_with_its_perplexity(tianti: Run) -> None:
    arguments = ("--arch", "llama", "--data", "town.jsonl", *SMALL, "--out", "mine")
    status, out, err = tianti(*arguments)
    assert status == 0, err
    assert "LlamaForCausalLM" in out
    assert "validation loss" in err
    assert "mine · zero-shot" in out or "mine" in out
    assert "bits_per_byte" in out or "held-out" in out
    assert "1 measured" in out
    assert "tianti run ./mine --task" in out
    assert (Path("mine") / "held-out.yaml").exists()
    status, out, _ = tianti(*arguments)
    assert status == 0
    assert "nothing to do" in out


def test_a_masked_model_says_that_it_has_no_perplexity(tianti: Run) -> None:
    status, out, err = tianti("--arch", "bert", "--data", "town.jsonl", *SMALL)
    assert status == 0, err
    assert "Not on the board" in out
    assert json.loads(Path("bert-32x1x2/card.json").read_text())["validation_loss"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arch", "lama", "--data", "nano"), "did you mean 'llama'"),
        (("--arch", "llama", "--data", "nano", "--size", "30x2x4"), "30 cannot be shared among 4 heads"),
        (("--arch", "llama", "--data", "nano", "--size", "tinny"), "did you mean 'tiny'"),
        (("--arch", "llama", "--data", "nowhere.txt"), "nowhere.txt"),
        (("--arch", "llama", "--data", "town.jsonl", "--tokens", "many"), "expected a number of tokens"),
        (("--arch", "llama", "--data", "town.jsonl", "--length", "100000"), "too little data"),
        (("--arch", "llama", "--data", "town.jsonl", "--column", "story"), "no column 'story'"),
    ],
)
def test_errors_say_what_to_do(tianti: Run, arguments: tuple[str, ...], said: str) -> None:
    status, _, err = tianti(*arguments)
    assert status == 1
    assert said in err


def test_numbers_of_tokens() -> None:
    assert [parse_tokens(text) for text in ("500", "500k", "1.5M", "2G")] == [
        500,
        500_000,
        1_500_000,
        2 * 10**9,
    ]
    with pytest.raises(InputError):
        parse_tokens("0")
