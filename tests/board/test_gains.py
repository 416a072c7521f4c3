import pytest

from tianti.board.build import build_board
from tianti.board.compare import compare
from tianti.board.entry_items import EntryItems
from tianti.board.gains import gains


def test_gains_are_the_paired_differences_from_zero_shot(store, world):
    for task, gain in (("sentiment", 0.3), ("topics", 0.1)):
        world.record(store, "a", "zero-shot", task, 0.6)
        world.record(store, "a", "zero-shot(chain_of_thought=true)", task, 0.65)
        world.record(store, "a", "lora", task, 0.6 + gain)
        world.record(store, "b", "zero-shot", task, 0.2)
    board = build_board(store)
    entries = [entry for entry in board.entries if entry.model == "a"]
    base, found = gains(board, EntryItems(store, board), entries)
    assert base is not None
    assert base.name == "a · zero-shot"
    assert {gain.entry.adaptation for gain in found} == {"lora", "zero-shot(chain_of_thought=true)"}
    for gain in found:
        assert gain.comparison == compare(store, board, gain.entry.name, base.name)
        assert gain.overall == gain.comparison.overall
        assert gain.on("topics") in gain.comparison.tasks
        assert gain.on("nothing") is None


@pytest.mark.parametrize(
    ("adaptations", "base"),
    [(["lora"], None), (["lora", "zero-shot(chain_of_thought=true)"], "zero-shot(chain_of_thought=true)")],
)
def test_without_plain_zero_shot(store, world, adaptations, base):
    for adaptation in adaptations:
        world.record(store, "a", adaptation)
    board = build_board(store)
    found, others = gains(board, EntryItems(store, board), board.entries)
    assert (found.adaptation if found else None) == base
    assert len(others) == (len(adaptations) - 1 if base else 0)
