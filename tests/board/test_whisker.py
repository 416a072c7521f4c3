from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tianti.board.assemble import assemble
from tianti.board.whisker import Axis, axis_of, whisker
from worlds import World

ENTRY = assemble([World(items=5).result("a")], "").entries[0]
bounds = st.lists(st.floats(-2, 2), min_size=3, max_size=3).map(sorted)


@given(st.lists(bounds, min_size=1, max_size=4), st.integers(12, 24))
def test_drawings_are_as_wide_as_their_axis_and_in_order(intervals, width):
    entries = [replace(ENTRY, low=low, mean=mean, high=high) for low, mean, high in intervals]
    axis = axis_of(entries, width)
    assert len(axis.heading) == width
    for entry in entries:
        drawn = whisker(axis, entry)
        assert len(drawn) == width
        assert drawn.count("●") == 1
        assert drawn.index("●") == axis.place(entry.mean)
        assert axis.place(entry.low) <= drawn.index("●") <= axis.place(entry.high)


def test_a_mean_without_an_interval_is_a_dot_and_none_is_nothing():
    axis = Axis(0.0, 1.0, 12)
    assert whisker(axis, replace(ENTRY, low=None, mean=1.0, high=None)) == "┊" + " " * 10 + "●"
    assert whisker(axis, replace(ENTRY, low=0.4, mean=0.5, high=0.9)) == "┊   ├─●───┤ "
    assert whisker(axis, replace(ENTRY, mean=None)) == ""
    assert axis_of([replace(ENTRY, low=None, mean=None, high=None)], 12) is None
