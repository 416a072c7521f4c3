from __future__ import annotations

import datetime
import functools
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import TaskError
from tianti.core.fingerprint import fingerprint
from tianti.tasks.harness_fingerprint import describe, digest_documents
from tianti.tasks.harness_requests import from_value, to_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


class Settings:
    def __init__(self, depth: int) -> None:
        self.depth = depth


def test_a_function_is_its_name_and_its_file(tmp_path: Path) -> None:
    described = describe(
        {"map": json.loads, "built_in": len, "partial": functools.partial(json.loads, strict=True)}
    )
    assert described["map"]["code"] == "loads"
    assert len(described["map"]["file"]) == 64
    assert described["built_in"] == {"code": "len", "file": ""}
    assert described["partial"] == [described["map"], [], {"strict": True}]


def test_an_object_is_its_class_and_its_values() -> None:
    assert fingerprint(describe(Settings(1))) == fingerprint(describe(Settings(1)))
    assert fingerprint(describe(Settings(1))) != fingerprint(describe(Settings(2)))


@given(JSON)
def test_plain_data_is_described_by_itself(value: Any) -> None:
    assert describe(value) == value


def test_documents_count_in_their_order_and_with_odd_fields() -> None:
    documents = [
        {"a": 1, "day": datetime.date(2020, 1, 2), "raw": b"\xff", "price": Decimal("1.50")},
        {"a": 2, "lone": "\ud800"},
    ]
    digest = digest_documents("t", documents)
    assert digest == digest_documents("t", [dict(reversed(documents[0].items())), documents[1]])
    assert digest != digest_documents("t", documents[::-1])
    with pytest.raises(TaskError, match="t: the data holds a Settings"):
        digest_documents("t", [{"picture": Settings(1)}])


def test_values_of_metrics_as_json() -> None:
    value = to_value("m", (np.float32(0.5), np.arange(3), {"x": (np.int64(7), True)}, [math.nan, "text"]))
    assert value == [0.5, [0, 1, 2], {"x": [7, True]}, [None, "text"]]
    assert json.loads(json.dumps(value)) == value
    assert to_value("m", math.inf) is to_value("m", np.float64("nan")) is None
    with pytest.raises(TaskError, match="the metric m gives a Settings"):
        to_value("m", Settings(1))


def test_values_back_for_lm_eval() -> None:
    assert from_value([1, "text"]) == (1, "text")
    assert math.isnan(from_value([1.0, None])[1])
    assert from_value(0.25) == 0.25
