"""The little language of programs that may be run here: one expression over the whole number `x`.

    expression = whole number | x | - expression | expression (+ | - | * | // | %) expression
               | max(a, b) | min(a, b) | abs(a) | ( expression )

It means what Python means by it. A program is read by Python's parser, which runs nothing, and its tree is walked by
the few rules below, which know nothing else: no names but `x`, no attributes, no powers, no strings. Lengths, depths
and sizes are bounded, so a program ends in no time. What is written by a model is never given to `eval` or `exec`.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable

LONGEST_PROGRAM = 400
"""Characters."""
DEEPEST_PROGRAM = 50
"""Expressions within expressions."""
LARGEST_NUMBER = 10**18
"""No value of any part may be further from 0."""

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, tuple[int, Callable[..., int]]] = {"max": (2, max), "min": (2, min), "abs": (1, abs)}
"""Each with the number of its arguments."""


class ProgramError(ValueError):
    """A text that is no program of the little language, or one that fails on an input."""


Program = Callable[[int], int]


def compile_program(text: str) -> Program:
    """The program as a function of `x`, which raises ProgramError where a division by 0 or too large a number comes up.

    Raises:
        ProgramError: the text is not a program of the little language; says which part is not.
    """
    text = text.strip()
    if len(text) > LONGEST_PROGRAM:
        raise ProgramError(f"longer than {LONGEST_PROGRAM} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on style
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ProgramError(f"no expression: {error}") from error
    return _compiled(tree, DEEPEST_PROGRAM)


def passes(text: str, tests: list[tuple[int, int]]) -> bool:
    """Whether the text is a program that gives for each input of `tests` its output."""
    try:
        program = compile_program(text)
        return all(program(value) == expected for value, expected in tests)
    except ProgramError:
        return False


def _compiled(node: ast.expr, depth: int) -> Program:
    if depth == 0:
        raise ProgramError(f"deeper than {DEEPEST_PROGRAM} expressions")
    match node:
        case ast.Constant(value=bool()):
            raise ProgramError(f"{ast.unparse(node)} is no whole number")
        case ast.Constant(value=int() as number):
            value = _bounded(number)
            return lambda x: value
        case ast.Name(id="x"):
            return _bounded
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compiled(operand, depth - 1)
            return lambda x: -inner(x)
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _OPERATORS:
            return _operation(_OPERATORS[type(kind)], _compiled(left, depth - 1), _compiled(right, depth - 1))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            count, function = _FUNCTIONS[name]
            if len(arguments) != count:
                raise ProgramError(f"{name} takes {count} numbers, not {len(arguments)}")
            parts = [_compiled(argument, depth - 1) for argument in arguments]
            return lambda x: function(*(part(x) for part in parts))
    raise ProgramError(f"not in the language: {type(node).__name__}")


def _operation(operate: Callable[[int, int], int], left: Program, right: Program) -> Program:
    def run(x: int) -> int:
        try:
            return _bounded(operate(left(x), right(x)))
        except ZeroDivisionError as error:
            raise ProgramError("division by 0") from error

    return run


def _bounded(number: int) -> int:
    if abs(number) > LARGEST_NUMBER:
        raise ProgramError("a number beyond 10^18")
    return number
