"""Python objects in one .npz file without pickle, so that reading a file can't run anybody's code.

Arrays are stored as arrays, to the last bit; what holds them together as JSON beside them. Floats
survive JSON exactly: Python writes the shortest decimal number that reads back as the same one.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Self

import numpy as np

FORMAT = 1  # raise it whenever a file could be misread


class SavedWithoutPickle:
    """Gives a scikit-learn estimator `save` and `load`."""

    _saved_classes: Sequence[type] = ()  # dataclasses that its state may hold

    def save(self, path: str | os.PathLike) -> None:
        """Write parameters and state, whatever it is, to one .npz file without pickle.

        Raises
        ------
        ValueError
            If a parameter can't be written so, such as a function.
        """
        parameters = self.get_params(deep=False)
        state = {name: value for name, value in vars(self).items() if name not in parameters}
        try:
            write(path, (parameters, state))
        except TypeError as error:
            raise ValueError(f"{error}; give that parameter another value first") from None

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """What `save` wrote; nothing in the file is executed.

        Raises
        ------
        ValueError
            If the file was not written by `save`.
        """
        parameters, state = read(path, cls._saved_classes)
        estimator = cls(**parameters)
        vars(estimator).update(state)
        return estimator


def write(path: str | os.PathLike, state: object) -> None:
    """Write `state` to `path`; a file of that name is replaced only once the new one is complete.

    `state` may hold None, booleans, numbers, strings, arrays, lists, tuples, dicts with string
    keys, RandomStates and dataclass instances.

    Raises
    ------
    TypeError
        For anything else.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps({"format": FORMAT, "state": _pack(state, arrays)})
    part = f"{os.fspath(path)}.part"
    with open(part, "wb") as file:
        np.savez(file, json=np.array(text), **arrays)
    os.replace(part, path)


def read(path: str | os.PathLike, classes: Sequence[type]) -> object:
    """The state that `write` wrote.

    Parameters
    ----------
    classes : the dataclasses that may occur; their own checks are run

    Raises
    ------
    ValueError
        If the file is not such a file, or of another format.
    """
    by_name = {c.__name__: c for c in classes}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        document = json.loads(str(arrays["json"]))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this version reads {FORMAT}")
        return _unpack(document["state"], arrays, by_name)
    except FileNotFoundError:
        raise
    except Exception as error:  # a stranger's file can be wrong in any way
        message = f"{os.fspath(path)} is not a file that gmmlib saved, or damaged ({error!r})"
        raise ValueError(message) from None


def _pack(value: object, arrays: dict[str, np.ndarray]) -> object:
    """JSON for a value; arrays go into `arrays` and leave their name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _pack(value.item(), arrays)
    if isinstance(value, list):
        return [_pack(v, arrays) for v in value]
    if isinstance(value, np.random.RandomState):
        return {"random state": _pack(value.get_state(), arrays)}
    if isinstance(value, tuple):
        return {"tuple": [_pack(v, arrays) for v in value]}
    if isinstance(value, dict):
        return {"dict": {k: _pack(v, arrays) for k, v in value.items()}}
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: _pack(getattr(value, f.name), arrays) for f in fields(value)}
        return {"class": type(value).__name__, "fields": content}
    if hasattr(value, "__array__"):
        value = np.asarray(value)
        if value.dtype == object:  # names of features
            return {"objects": [_pack(v, arrays) for v in value.ravel()], "shape": value.shape}
        name = f"array_{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    raise TypeError(f"{value!r} can't be saved without pickle")


def _unpack(packed: object, arrays: dict[str, np.ndarray], by_name: dict[str, type]) -> object:
    if isinstance(packed, list):
        return [_unpack(v, arrays, by_name) for v in packed]
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        return arrays[packed["array"]]
    if "objects" in packed:
        objects = np.empty(len(packed["objects"]), dtype=object)
        objects[:] = packed["objects"]
        return objects.reshape(packed["shape"])
    if "tuple" in packed:
        return tuple(_unpack(v, arrays, by_name) for v in packed["tuple"])
    if "dict" in packed:
        return {k: _unpack(v, arrays, by_name) for k, v in packed["dict"].items()}
    if "random state" in packed:
        random_state = np.random.RandomState()
        random_state.set_state(_unpack(packed["random state"], arrays, by_name))
        return random_state
    content = {k: _unpack(v, arrays, by_name) for k, v in packed["fields"].items()}
    return by_name[packed["class"]](**content)
