from hypothesis import given
from hypothesis import strategies as st

from tianti.web.draw import WIDTH, axis, bar, shade

values = st.floats(-1000, 1000)


@given(st.lists(values, min_size=3, max_size=30), st.one_of(st.none(), values))
def test_bars_stay_on_the_axis_and_in_order(numbers, origin):
    low, value, high = sorted(numbers[:3])
    drawn = bar(axis(numbers, origin), value, low, high)
    assert 0 <= drawn.low <= drawn.value <= drawn.high <= WIDTH
    assert (drawn.origin is None) == (origin is None)


def test_what_is_missing_is_not_drawn():
    assert axis([None]) is None
    assert bar(axis([1.0]), None, None, None) is None
    assert bar(None, 0.5, None, None) is None
    lone = bar(axis([0.5]), 0.5, None, None)
    assert lone.low == lone.value == lone.high


def test_shades_go_from_chance_to_perfect():
    assert [shade(value) for value in (None, -0.5, 0.0, 0.5, 1.0)] == [0, 0, 0, 4, 7]
