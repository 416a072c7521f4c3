import hashlib
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tianti.core.fingerprint import canonical_json, file_digest, files_fingerprint, fingerprint

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), children, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_canonical_json_is_json_and_keeps_the_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


def test_a_fingerprint_is_the_sha256_of_the_canonical_form() -> None:
    assert fingerprint({"b": 1, "a": [True, None]}) == hashlib.sha256(b'{"a":[true,null],"b":1}').hexdigest()


def test_files_have_one_fingerprint_whatever_their_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    assert file_digest(first) == hashlib.sha256(b"1").hexdigest()
    assert files_fingerprint([first, second]) == files_fingerprint([second, first])
    before = files_fingerprint([first, second])
    second.write_bytes(b"3")
    assert files_fingerprint([first, second]) != before
