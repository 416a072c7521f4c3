"""The little language of programs means what Python means, and nothing else can be said in it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.tasks.minilanguage import LARGEST_NUMBER, ProgramError, compile_program, passes

leaves = st.one_of(st.just("x"), st.integers(0, 99).map(str))
programs = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(" ".join),
        st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(
            lambda part: f"{part[0]}({part[1]}, {part[2]})"
        ),
        inner.map(lambda part: f"abs({part})"),
        inner.map(lambda part: f"({part})"),
        inner.map(lambda part: f"-{part}"),
    ),
    max_leaves=8,
)


@given(programs, st.integers(-50, 50))
def test_a_program_means_what_python_means(text: str, x: int) -> None:
    try:
        expected = eval(text, {"__builtins__": {}, "max": max, "min": min, "abs": abs, "x": x})
    except ZeroDivisionError:
        with pytest.raises(ProgramError, match="division by 0"):
            compile_program(text)(x)
        return
    # At most eight numbers below 100: no part can come near the bounds, which Python does not have.
    assert compile_program(text)(x) == expected
    assert passes(text, [(x, expected)])
    assert not passes(text, [(x, expected), (x, expected + 1)])


@given(st.text(max_size=40) | st.text("x0123456789+-*/%()., maxbsin", max_size=30))
def test_any_text_is_a_program_or_refused(text: str) -> None:
    try:
        program = compile_program(text)
    except ProgramError:
        return
    with contextlib.suppress(ProgramError):
        assert isinstance(program(3), int)


@pytest.mark.parametrize(
    "text",
    [
        "", "x **2", "x ** 9 ** 9", "y", "__import__('os')", "x.real", "x / 2", "3.5", "'a'", "True", "max(x)",
        "abs(x, 1)",
        "max(*[1, 2])", "max(x, key=abs)", "x if x else 1", "lambda x: x", "x; x", "x\n+1", "x = 1", "[x]", "x << 60",
        "~x", "+x",
        "x < 3", "x and 1", "print(x)", "eval('x')", "(" * 300 + "x" + ")" * 300, "-" * 60 + "x",
        "x + " * 200 + "x", "9" * 30,
        "(x := 3)", "f'{x}'", "abs", "max(x, y=1)", "1j", "x\x00",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ProgramError):
        compile_program(text)
    assert not passes(text, [(1, 1)])


def test_numbers_are_bounded() -> None:
    program = compile_program("x * x * x")
    assert program(10**6) == LARGEST_NUMBER
    for text, x in (("x * x * x", 10**6 + 1), ("x", 10**19), ("x + 1", LARGEST_NUMBER)):
        with pytest.raises(ProgramError, match="beyond"):
            compile_program(text)(x)
    assert compile_program(" x//2 ")(-3) == -2
