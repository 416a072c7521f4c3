import re

from hypothesis import given
from hypothesis import strategies as st

from tianti.board.slugs import slugs

NAMES = st.one_of(
    st.text(min_size=0, max_size=200),
    st.sampled_from(["../..", "CON", "nul", "a/b", "a b", "A b", "模型", "."]),
)


@given(st.lists(NAMES, unique=True, max_size=12))
def test_slugs_are_safe_and_different(names):
    made = slugs(names)
    assert set(made) == set(names)
    assert len(set(made.values())) == len(names)
    for slug in made.values():
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,89}", slug)
        assert ".." not in slug
        assert slug not in {"con", "nul", "aux"}


def test_plain_names_stay_readable():
    assert slugs(["nano:llama", "org/Name-7B", "few-shot(k=4)"]) == {
        "nano:llama": "nano-llama",
        "org/Name-7B": "org-name-7b",
        "few-shot(k=4)": "few-shot-k-4",
    }


def test_names_that_would_collide_are_told_apart():
    made = slugs(["a b", "a/b", "c"])
    assert made["c"] == "c"
    assert made["a b"] != made["a/b"]
    assert made["a b"].startswith("a-b-")
