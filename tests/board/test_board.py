import json

import pytest

from tianti.board import Board
from tianti.board.assemble import assemble
from tianti.core.exceptions import InputError, UnknownNameError
from worlds import World


@pytest.fixture
def board(world: World) -> Board:
    results = [
        world.result(model, chance=chance, seed=seed)
        for model, chance in (("a", 0.9), ("b", 0.4))
        for seed in (0, 1)
    ]
    return assemble([*results, world.failed("c", "lora", "topics", "no")], "demo")


def test_json_gives_the_same_board_again(board):
    again = Board.from_json(board.to_json())
    assert again == board
    assert again.to_json() == board.to_json()
    assert json.loads(board.to_json())["snapshot"] == board.snapshot


def test_a_changed_board_is_found_out(board):
    content = board.to_dict()
    content["entries"][0]["mean"] = 1.0
    with pytest.raises(InputError, match="snapshot id"):
        Board.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "columns": 3}'])
def test_what_is_no_board_is_refused(text):
    with pytest.raises(InputError, match="no board"):
        Board.from_json(text)


def test_the_snapshot_names_the_content(board, world):
    assert len(board.snapshot) == 64
    assert assemble([world.result("other")], "demo").snapshot != board.snapshot


def test_entries_are_found_by_name_and_id(board):
    entry = board.entries[0]
    assert entry.name == "a · zero-shot"
    assert board.entry("a · zero-shot") is board.entry("a-zero-shot") is entry
    with pytest.raises(UnknownNameError, match="a · zero-shot"):
        board.entry("a · zeroshot")
