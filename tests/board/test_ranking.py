import numpy as np

from tianti.board.ranking import bands, places


def test_equal_values_share_their_place():
    assert places([0.5, 0.9, 0.5, 0.1]) == [2, 1, 2, 4]
    assert places([]) == []


def test_a_band_ends_where_its_anchor_is_shown_to_be_better():
    better = np.zeros((5, 5), dtype=bool)
    # 1 is like 0, 2 is like 1 but worse than 0: a fixed anchor does not chain 2 to 0.
    better[0, 2:] = True
    better[2, 4] = True
    assert bands([0, 1, 2, 3, 4], better) == {0: 1, 1: 1, 2: 2, 3: 2, 4: 3}
