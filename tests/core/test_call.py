from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.call import Call, parse_call, refuse_list
from tianti.core.exceptions import InputError


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("zero-shot", "zero-shot", {}),
        ("zero-shot()", "zero-shot", {}),
        ("lora(r=8, lr=2e-5)", "lora", {"r": 8, "lr": 2e-5}),
        ("few-shot( k = 4 , selection=first )", "few-shot", {"k": 4, "selection": "first"}),
        (
            "lora(targets=[q_proj, v_proj], merge=true)",
            "lora",
            {"targets": ["q_proj", "v_proj"], "merge": True},
        ),
        ("task(text='a, b')", "task", {"text": "a, b"}),
        (r'task(text="say \"a, b\"\n", k=2)', "task", {"text": 'say "a, b"\n', "k": 2}),
        ("./dir/my_task.yaml(split=validation)", "./dir/my_task.yaml", {"split": "validation"}),
        ("full(max_examples=null)", "full", {"max_examples": None}),
    ],
)
def test_reads_the_notation(text: str, name: str, arguments: dict[str, Any]) -> None:
    assert parse_call(text) == Call(name, arguments)


@pytest.mark.parametrize("text", ["", "lora(", "lora(r)", "lora(=8)", "lora(r=8, r=9)", "lora(r=[1)", "a b"])
def test_refuses_what_is_not_the_notation(text: str) -> None:
    with pytest.raises(InputError):
        parse_call(text)


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
arguments = st.dictionaries(
    st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True),
    st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False, min_value=1e-9, max_value=1e9)
    | st.text(st.characters(codec="utf-8")),
    max_size=3,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("first", "first"),
        ("Be brief.", "'Be brief.'"),
        ("true", '"true"'),
        ("8", '"8"'),
        ('say "so"\n', r'"say \"so\"\n"'),
        ("请简短回答。", "'请简短回答。'"),
    ],
)
def test_a_text_is_quoted_where_it_has_to_be(value: str, written: str) -> None:
    assert str(Call("task", {"text": value})) == f"task(text={written})"


@given(names, arguments)
def test_what_is_written_is_read_again(name: str, given_arguments: dict[str, Any]) -> None:
    call = Call(name, given_arguments)
    assert parse_call(str(call)) == call


@pytest.mark.parametrize("text", ["a,b", "a, b", "lora(r=8, lr=1e-3),full", "harness:a,b"])
def test_several_names_in_one_are_explained(text: str) -> None:
    with pytest.raises(InputError, match="2 names in one") as caught:
        refuse_list(text)
    assert "write a list: [" in caught.value.remedy


@given(names, arguments)
def test_one_name_is_no_list(name: str, given_arguments: dict[str, Any]) -> None:
    refuse_list(str(Call(name, given_arguments)))
