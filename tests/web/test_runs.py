import json

import pytest

from tianti.core.exceptions import UnknownNameError
from tianti.web.runs import LONGEST_TEXT, flat, read_run_page


def test_a_run_with_its_first_answers(store, world):
    run = world.record(store, "a", "lora", seed=1, prompt="x" * (LONGEST_TEXT + 10))
    page = read_run_page(store, run.run_id)
    assert len(page.answers) == 50
    assert page.answers[0].prompt.endswith("[…]")
    assert len(page.answers[0].prompt) < LONGEST_TEXT + 10
    assert "tianti run a --task sentiment --adapt" in page.command
    assert "--seed 1" in page.command
    assert len(page.data["answers"]) == 100
    assert "responses" not in page.data["answers"][0]
    assert page.data["answers"][-1]["reason"] == "too long"
    assert json.loads(json.dumps(page.data))["run_id"] == run.run_id


def test_an_unknown_run(store):
    with pytest.raises(UnknownNameError):
        read_run_page(store, "nothing")


def test_nested_facts_become_rows():
    facts = {
        "a": {"b": 1, "none": None},
        "list": [1, 2],
        "maps": [{"c": 0.123456789}],
        "yes": True,
        "big": 1234567,
    }
    assert list(flat(facts)) == [
        ("a.b", "1"),
        ("list", "1, 2"),
        ("maps.0.c", "0.123457"),
        ("yes", "true"),
        ("big", "1\u202f234\u202f567"),
    ]
