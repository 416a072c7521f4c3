"""Cutting a board never changes what stands on it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.board import Board
from tianti.board.assemble import assemble
from tianti.board.cut import QUANTITIES, cut
from tianti.board.entries import Price
from tianti.board.filters import EVERYTHING, Condition, Selection, read
from tianti.board.show import percent
from tianti.board.snapshot import board_json
from tianti.core.exceptions import UnknownNameError
from worlds import PERPLEXITY, World


def _board() -> Board:
    world = World(items=30, languages={"话题": "zh"}, metrics={"texts": PERPLEXITY})
    results = [
        world.result(model, adaptation, task, chance)
        for model, adaptation, chance in (
            ("Llama", "lora", 0.9), ("llama-2", "zero-shot", 0.6), ("模型", "lora(r=8)", 0.5), ("t5", "full", 0.3),
        )
        for task in ("nano/qa", "话题")
    ]  # fmt: skip
    results += [
        world.result("t5", "full", "texts", value=12.0),
        world.failed("t5", "lora", "nano/qa", "no room"),
    ]
    return assemble(results, "")


BOARD = _board()
COLUMNS = (*QUANTITIES, "nano-qa", "话题", "texts")
selections = st.builds(
    Selection,
    search=st.sampled_from(["", "LLAMA", "模", "lora", "nothing"]),
    regimes=st.lists(st.sampled_from(["lora", "full", "zero-shot"]), max_size=2, unique=True).map(tuple),
    languages=st.lists(st.sampled_from(["en", "zh"]), max_size=2, unique=True).map(tuple),
    conditions=st.lists(
        st.builds(
            Condition,
            st.sampled_from(COLUMNS),
            st.sampled_from(["lt", "le", "gt", "ge"]),
            st.floats(-50, 100),
        ),
        max_size=2,
    ).map(tuple),
    columns=st.lists(st.sampled_from(COLUMNS), max_size=4, unique=True).map(tuple),
    sort=st.lists(st.sampled_from([*COLUMNS, *(f"-{name}" for name in COLUMNS)]), max_size=2).map(tuple),
)


@given(selections)
def test_what_is_shown_stands_there_as_on_the_whole_board(selection):
    shown = cut(BOARD, selection)
    whole = {entry.id: entry for entry in BOARD.entries}
    names = {column.name for column in shown.board.columns}
    assert set(shown.board.columns) <= set(BOARD.columns)
    assert len({entry.id for entry in shown.board.entries}) == len(shown.board.entries)
    for entry in shown.board.entries:
        assert entry.cells.keys() <= names
        assert all(cell == whole[entry.id].cells[name] for name, cell in entry.cells.items())
        assert replace(entry, cells={}) == replace(whole[entry.id], cells={})
    assert replace(shown.board, entries=(), columns=()) == replace(BOARD, entries=(), columns=())
    if not selection.sort:
        order = [entry.id for entry in BOARD.entries]
        assert [order.index(entry.id) for entry in shown.board.entries] == sorted(
            order.index(entry.id) for entry in shown.board.entries
        )


def test_everything_is_the_board_itself():
    assert cut(BOARD, EVERYTHING).board == BOARD
    assert board_json(BOARD) == BOARD.to_json()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("q=llama", ["Llama · lora", "llama-2 · zero-shot"]),
        ("q=R=8", ["模型 · lora(r=8)"]),
        ("r=lora&q=llama", ["Llama · lora"]),
        ("r=full&r=zero-shot", ["llama-2 · zero-shot", "t5 · full"]),
        ("f=texts:gt:0", ["t5 · full"]),
        ("f=nano-qa:ge:0&f=rank:le:2", ["Llama · lora", "llama-2 · zero-shot"]),
        ("s=-rank", ["t5 · full", "模型 · lora(r=8)", "llama-2 · zero-shot", "Llama · lora", "t5 · lora"]),
        (
            "s=mean&s=-parameters",
            ["t5 · full", "模型 · lora(r=8)", "llama-2 · zero-shot", "Llama · lora", "t5 · lora"],
        ),
        ("provenance=measured&family=causal&f=parameters:lt:1e6", []),
    ],
)
def test_who_is_shown(address, shown):
    assert [entry.name for entry in cut(BOARD, read(address)).board.entries] == shown


def test_a_share_counts_in_per_cent_and_a_task_is_known_by_its_name_and_slug():
    (best, *_) = BOARD.entries
    for column, value in (("mean", best.mean), ("nano/qa", best.cells["nano/qa"].value)):
        number = float(percent(value))
        for name in {column, column.replace("/", "-")}:
            assert best.id in {e.id for e in cut(BOARD, read(f"f={name}:ge:{number!r}")).board.entries}
            assert best.id not in {e.id for e in cut(BOARD, read(f"f={name}:gt:{number!r}")).board.entries}


def test_columns_come_in_the_order_in_which_they_are_asked_for():
    shown = cut(BOARD, read("cols=话题,seconds,nano-qa,mean,nano/qa,rank"))
    assert [column.name for column in shown.board.columns] == ["话题", "nano/qa"]
    assert shown.quantities == ("seconds", "mean")
    assert [c.name for c in cut(BOARD, read("cols=话题,nano-qa&lang=zh")).board.columns] == ["话题"]


def test_what_was_not_measured_here_has_no_cost():
    imported = replace(BOARD.entries[0], provenance="imported", price=Price())
    assert [QUANTITIES[name](imported) for name in ("trained", "seconds", "tokens")] == [None] * 3
    assert QUANTITIES["seconds"](BOARD.entries[0]) == 6.0


@pytest.mark.parametrize(
    "address",
    ["r=lorra", "family=casual", "provenance=measure", "lang=zhh", "cols=meen", "s=-ranks", "f=men:lt:3"],
)
def test_names_that_are_none_bring_the_nearest(address):
    with pytest.raises(UnknownNameError, match="did you mean"):
        cut(BOARD, read(address))


def test_a_board_that_says_the_family_of_none_says_so():
    nameless = replace(BOARD, entries=tuple(replace(entry, architecture="") for entry in BOARD.entries))
    with pytest.raises(UnknownNameError, match="says the family of none"):
        cut(nameless, read("family=causal"))
    with pytest.raises(UnknownNameError, match="Valid: causal"):
        cut(BOARD, read("family=bert"))


def test_the_json_of_a_selection_says_what_it_is_a_part_of():
    text = board_json(BOARD, (), read("r=lora"))
    assert Board.from_json(text) == cut(BOARD, read("r=lora")).board
    assert '"view": "r=lora"' in text
    assert f'"whole": "{BOARD.snapshot}"' in text
    assert '"snapshot"' not in text
    assert '"of_entries": 5' in text


def test_pinned_entries_come_first_whether_or_not_they_fit():
    shown = cut(BOARD, read("r=zero-shot&pin=t5-full&pin=Llama · lora")).board.entries
    assert [entry.name for entry in shown] == ["t5 · full", "Llama · lora", "llama-2 · zero-shot"]
    with pytest.raises(UnknownNameError, match="did you mean"):
        cut(BOARD, read("pin=t5 · ful"))


def test_names_are_sorted_in_whatever_case_and_numbers_as_numbers():
    world = World(items=10)
    names = ("model-13B", "Model-7b", "another", "model-7B")
    board = assemble([world.result(name) for name in names], "")
    order = [entry.model for entry in cut(board, Selection(sort=("model",))).board.entries]
    assert (order[0], order[-1]) == ("another", "model-13B")
    assert cut(board, Selection(sort=("-model",))).board.entries[0].model == "model-13B"
    whole = cut(board, Selection(sort=("provenance",))).board.entries
    assert [entry.model for entry in whole] == [entry.model for entry in board.entries]
    with pytest.raises(UnknownNameError, match="did you mean 'model'"):
        cut(board, Selection(sort=("modle",)))
