"""`tianti board` with the words of the address, and into files."""

import json

import pytest

from tianti.board.filters import KEYS
from tianti.board.formats import FORMATS
from tianti.board.snapshot import take_snapshot
from tianti.cli import main
from tianti.store import Store, open_store
from tianti.web.export import write_site
from worlds import World


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("boards") / "store"
    world = World(items=20, languages={"topics": "zh"})
    with Store(made) as store:
        for model, chance in (("nano:llama", 0.9), ("=b_%", 0.4)):
            for adaptation in ("lora", "zero-shot"):
                for task in ("sentiment", "topics"):
                    world.record(store, model, adaptation, task, chance)
    return made


@pytest.fixture
def board(folder, monkeypatch, capsys):
    """Runs `tianti board` on the store; gives exit status, output and error output."""
    monkeypatch.setenv("COLUMNS", "150")

    def run(*arguments):
        try:
            main(["board", "--store", str(folder), *arguments])
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_flags_and_address_show_the_same(board):
    flags = board(
        "--search", "NANO", "--regime", "lora", "--family", "causal", "--provenance", "measured", "--lang", "zh",
        "--filter", "rank:le:3", "--columns", "mean,topics", "--sort", "-mean", "--pin", "nano-llama-zero-shot",
    )  # fmt: skip
    address = (
        "q=NANO&r=lora&family=causal&provenance=measured&lang=zh&f=rank:le:3&cols=mean,topics&s=-mean"
        "&pin=nano-llama-zero-shot"
    )
    assert flags == board("--view", address) == board("--view", f"https://b.example/en/b/all/?{address}")
    assert {word.partition("=")[0] for word in address.split("&")} == set(KEYS)
    assert "2 of 4 entries" in flags[1]
    assert board("--view", "q=nano", "--regime", "lora")[1] == board("--view", "q=nano&r=lora")[1]


def test_json_of_a_part(board):
    content = json.loads(board("--regime", "lora", "--json")[1])
    whole = json.loads(board("--json")[1])
    assert content["entries"] == [entry for entry in whole["entries"] if entry["method"] == "lora"]
    assert (content["view"], content["of_entries"], content["whole"]) == ("r=lora", 4, whole["snapshot"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--regime", "lorra"), "did you mean 'lora'"),
        (("--filter", "men:lt:3"), "did you mean 'mean'"),
        (("--filter", "mean"), "column:op"),
        (("--view", "f=mean:above:3"), "Valid: ge, gt, le, lt"),
        (("--regime", "lora", "--curve"), "leave out either"),
        (("--output", "board.cvs"), "did you mean 'csv'"),
        (("--output", "nowhere/board.csv"), "cannot write nowhere/board.csv: No such file"),
        (("--output", "board.csv", "--transfer"), "leave out either"),
    ],
)
def test_what_cannot_be_shown_is_told(board, arguments, said):
    status, output, error = board(*arguments)
    assert (status, output) == (1, "")
    assert said in error


def test_every_format_is_written_to_a_file_as_the_site_has_it(board, folder, tmp_path):
    write_site(take_snapshot(open_store(folder)), open_store(folder), tmp_path / "site")
    for ending in FORMATS:
        file = tmp_path / f"mine.{ending}"
        status, output, _ = board("--output", str(file))
        assert (status, output) == (0, f"board written: {file}\n")
        assert file.read_bytes() == (tmp_path / f"site/api/v1/boards/all.{ending}").read_bytes()
    board("--output", str(tmp_path / "part.md"), "--regime", "lora", "--columns", "mean")
    assert "2 of 4 entries" in (tmp_path / "part.md").read_text(encoding="utf-8")
