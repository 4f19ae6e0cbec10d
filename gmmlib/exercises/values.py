"""Answers as plain data: what a question passes to an answer, what comes back, whether two agree.

An answer travels as JSON, never as an object: a number, a text, a list, an array of numbers, or a
formula. Nothing that a program can hide in an object survives the way, so an answer is compared by
its value alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: Numbers agree when they differ by less than this, relative to the right one (or absolutely near
#: zero): wide enough for another order of summation, far too narrow for another formula.
RELATIVE, ABSOLUTE = 1e-6, 1e-9

#: More numbers than this in one value is not an answer to any question.
MOST_NUMBERS = 200_000


def encode(value: Any) -> Any:
    """``value`` as JSON data.

    Parameters
    ----------
    value : None, bool, number, text, array of numbers, sympy expression, or a list, tuple or
        dictionary (with text keys) of those

    Raises
    ------
    TypeError
        If the value is of another type, with the type's name.
    ValueError
        If it holds more than 200,000 numbers.
    """
    if isinstance(value, Formula):
        return {"formula": str(value)}
    if isinstance(value, Raised):
        return {"raises": str(value)}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        value = int(value)
        return value if abs(value) < 2**53 else float(value)
    if isinstance(value, float | np.floating):
        return {"number": repr(float(value))}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, list | tuple):
        return {"list": [encode(item) for item in value]}
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("the keys of a dictionary must be texts")
        return {"dict": {key: encode(item) for key, item in value.items()}}
    if hasattr(value, "free_symbols"):
        from sympy import srepr

        return {"formula": srepr(value)}
    raise TypeError(
        f"a value of type {type(value).__name__} is not an answer: return numbers, "
        "arrays, lists or formulas"
    )


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    if array.size > MOST_NUMBERS:
        raise ValueError(f"an array of {array.size} numbers is too large for an answer")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array of {array.dtype} is not an answer: it must hold real numbers")
    shape = list(array.shape)
    if array.dtype.kind != "f":  # labels, for instance, which go on to be indices
        return {"shape": shape, "whole": " ".join(str(int(number)) for number in array.ravel())}
    # Texts, since JSON has no infinity and no NaN.
    numbers = [repr(float(number)).removesuffix(".0") for number in array.ravel()]
    return {"shape": shape, "numbers": " ".join(numbers)}


def decode(data: Any, depth: int = 20) -> Any:
    """The value that ``encode`` made ``data`` of; a formula stays ``Formula(text)``, unread.

    Raises
    ------
    ValueError
        If ``data`` is not what ``encode`` returns. Safe for data from anyone: nothing is executed.
    """
    if depth == 0:
        raise ValueError("an answer is not nested so deeply")
    if data is None or isinstance(data, bool | str):
        return data
    if isinstance(data, int):
        if abs(data) >= 2**53:
            raise ValueError("not a number")
        return data
    if isinstance(data, dict):
        match data:
            case {"number": str(text)} if len(data) == 1:
                return _number(text)
            case {"shape": list(shape), "numbers": str(text)} if len(data) == 2:
                return _array(shape, text)
            case {"shape": list(shape), "whole": str(text)} if len(data) == 2:
                return _array(shape, text).astype(int)
            case {"list": list(items)} if len(data) == 1:
                return [decode(item, depth - 1) for item in items]
            case {"dict": dict(items)} if len(data) == 1:
                return {str(key): decode(item, depth - 1) for key, item in items.items()}
            case {"formula": str(text)} if len(data) == 1:
                return Formula(text)
            case {"raises": str(text)} if len(data) == 1:
                return Raised(text)
    raise ValueError("not the data of an answer")


def _number(text: str) -> float:
    if len(text) > 40:
        raise ValueError("not a number")
    return float(text)


def _array(shape: list[Any], text: str) -> np.ndarray:
    if len(shape) > 4 or not all(type(n) is int and 0 <= n <= MOST_NUMBERS for n in shape):
        raise ValueError("not the shape of an array")
    if math.prod(shape) > MOST_NUMBERS:
        raise ValueError("too many numbers for an answer")
    numbers = text.split()
    if math.prod(shape) != len(numbers):
        raise ValueError("an array's numbers do not fill its shape")
    return np.array([_number(number) for number in numbers]).reshape(shape)


class Formula(str):
    """The ``srepr`` of a sympy expression, as a text (`gmmlib.exercises.formulas` reads it)."""


class Raised(str):
    """The name of the exception, such as ``ValueError``, that an answer raised."""


def agree(yours: Any, right: Any, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> bool:
    """Whether two decoded values say the same.

    Numbers agree within ``relative`` (1e-6) or ``absolute`` (1e-9); NaN agrees with NaN. An
    array of one number agrees with the number; shapes, types, lengths and texts
    must be equal otherwise.
    """
    if isinstance(right, bool) or isinstance(yours, bool) or right is None or yours is None:
        return type(yours) is type(right) and yours == right
    if isinstance(right, str):
        return type(yours) is type(right) and yours == right
    if isinstance(right, dict):
        return (
            isinstance(yours, dict)
            and yours.keys() == right.keys()
            and all(agree(yours[key], right[key], relative, absolute) for key in right)
        )
    if isinstance(right, list) and isinstance(yours, list):
        return len(yours) == len(right) and all(
            agree(mine, theirs, relative, absolute)
            for mine, theirs in zip(yours, right, strict=True)
        )
    left, other = as_numbers(yours), as_numbers(right)
    if left is None or other is None:
        return False
    if left.shape != other.shape and not left.size == other.size == 1:
        return False
    return bool(
        np.allclose(left.ravel(), other.ravel(), rtol=relative, atol=absolute, equal_nan=True)
    )


def as_numbers(value: Any) -> np.ndarray | None:
    """``value`` as an array of floats, or None if it is not numbers alone."""
    if value is None or isinstance(value, str | bool | dict):
        return None
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return array
