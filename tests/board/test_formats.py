"""What is written is read back: the table of any board from CSV, JSON and Parquet."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.board import Board
from tianti.board.assemble import assemble
from tianti.board.cut import cut
from tianti.board.export import SCHEMA, to_arrow
from tianti.board.filters import EVERYTHING, read
from tianti.board.formats import FORMATS, format_of
from tianti.core.exceptions import UnknownNameError
from worlds import World

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
boards = st.lists(
    st.tuples(st.one_of(names, st.sampled_from(["=1+1", "'=x", "-a", "@b", "'c"])), st.sampled_from(["a", "b"])),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


def made_of(pairs, world=None):
    world = world or World(items=8)
    results = [world.result(model, task=task, chance=0.6) for model, task in pairs]
    return assemble([*results, world.failed("+f", "lora", "a", "=no\nroom")], "=title")


def from_csv(text):
    """The table of a CSV: types by the schema, the ' before texts taken away."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for name, value in row.items()
                   if pa.types.is_string(SCHEMA.field(name).type))  # fmt: skip

    def value(name, said):
        if pa.types.is_string(SCHEMA.field(name).type):
            return said.removeprefix("'")
        return (
            None
            if said == ""
            else float(said)
            if pa.types.is_floating(SCHEMA.field(name).type)
            else int(said)
        )

    return pa.Table.from_pylist(
        [{n: value(n, said) for n, said in row.items()} for row in rows], schema=SCHEMA
    )


@settings(max_examples=25)
@given(boards, st.sampled_from([EVERYTHING, read("r=lora"), read("cols=a&s=-mean"), read("cols=mean&q=f")]))
def test_files_hold_what_is_shown(pairs, selection):
    shown = cut(made_of(pairs), selection)
    written = {ending: form.write(shown, ()) for ending, form in FORMATS.items()}
    table = to_arrow(shown.board, shown.whole.snapshot)
    assert from_csv(written["csv"].decode()) == table
    parquet = pq.read_table(io.BytesIO(written["parquet"]))
    assert parquet == table
    assert parquet.schema.metadata[b"snapshot"].decode() == shown.whole.snapshot
    assert to_arrow(Board.from_json(written["json"].decode()), shown.whole.snapshot) == table
    assert written == {ending: form.write(shown, ()) for ending, form in FORMATS.items()}


def test_the_ending_says_the_format():
    assert format_of("a.b.CSV") is FORMATS["csv"]
    with pytest.raises(UnknownNameError, match="did you mean 'csv'"):
        format_of("board.cvs")
    for name in ("board", "csv", "board."):
        with pytest.raises(UnknownNameError, match="Valid: csv, json, md, parquet, tex"):
            format_of(name)
