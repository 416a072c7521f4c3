from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import TaskError
from tianti.tasks.template import bind

COLUMNS = frozenset({"text", "label", "n"})


def field(source: str, *, constant: bool = False):
    return bind("doc_to_text", source, "my.yaml", COLUMNS, constant=constant)


def test_a_column_gives_its_value_as_it_is():
    assert field("n").value({"n": 3}, "row 1") == 3
    assert field("n").text({"n": 3}, "row 1") == "3"


def test_a_template_is_rendered_and_keeps_its_trailing_newline():
    assert field("{{text}}\n").text({"text": "a"}, "row 1") == "a\n"


@given(st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.text(max_size=5), min_size=3))
def test_templates_render_as_in_lm_eval(row):
    utils = pytest.importorskip("lm_eval.utils")
    source = (
        "{{text}}: {{ label | upper }}{% if n %} ({{n}}){% endif %}{{ text | regex_replace('a', 'b') }}\n"
    )
    assert field(source).text(row, "row 1") == utils.apply_template(source, row)


def test_only_a_template_is_parsed_as_a_list():
    row = {"text": "['a', 'b']", "label": "", "n": 0}
    assert field("text").parsed(row, "row 1") == "['a', 'b']"
    assert field("{{text}}").parsed(row, "row 1") == ["a", "b"]
    assert field("{{ [n] }}").parsed(row, "row 1") == [0]
    assert field("[{{ text }}").parsed(row, "row 1") == "[['a', 'b']"
    assert field("[not a list{{label}}]").parsed(row, "row 1") == "[not a list]"


def test_a_word_that_is_no_column_is_an_error_unless_a_constant_is_allowed():
    with pytest.raises(TaskError, match=r"asks for the column 'txt'.*did you mean 'text'"):
        field("txt")
    assert field("txt", constant=True).text({}, "row 1") == "txt"
    assert field("").text({}, "row 1") == ""


def test_a_missing_value_names_the_column():
    with pytest.raises(TaskError, match="row 7 has no value in column 'text'"):
        field("text").value({"text": None}, "row 7")
    with pytest.raises(
        TaskError, match=r"doc_to_text of row 7 asks for the column 'texd'.*did you mean 'text'"
    ):
        field("{{texd}}").value({"text": "a"}, "row 7")


def test_a_null_is_never_printed_into_a_prompt():
    with pytest.raises(TaskError, match=r"row 7: .*null"):
        field("{{text}}").value({"text": None}, "row 7")
    assert field("{{text or 'nothing'}}").value({"text": None}, "row 7") == "nothing"


@pytest.mark.parametrize("value", [["a"], {"a": 1}, True])
def test_text_is_text(value):
    with pytest.raises(TaskError, match="expects text"):
        field("text").text({"text": value}, "row 1")


def test_a_broken_template_says_where():
    with pytest.raises(TaskError, match=r"no Jinja2 template: .*line 2"):
        field("{{text}}\n{{ label")


@pytest.mark.parametrize("attack", ["{{ text.__class__.__mro__ }}", "{{ cycler.__init__.__globals__ }}"])
def test_a_template_cannot_reach_into_the_program(attack):
    with pytest.raises(TaskError, match="fails"):
        field(attack).value({"text": "a"}, "row 1")


def test_a_template_cannot_change_the_data():
    row = {"text": ["a"]}
    with pytest.raises(TaskError, match="fails"):
        field("{{ text.append('b') }}").value(row, "row 1")
    assert row == {"text": ["a"]}
