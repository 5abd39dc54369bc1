"""model.json: a network as plain JSON, its weights as base64 of little-endian float32. Nothing in it can be run."""

import base64
import binascii
import json
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.inference.network import KINDS, Array, Layer, Network

FORMAT: Final = "aslkit network"
VERSION: Final = 1

MAX_BYTES: Final = 256_000_000
"""Of the file: 48 million weights, a hundred times the largest network here."""

_MOST_MEMBERS: Final = 100
_MOST_LAYERS: Final = 200


def network_to_dict(network: Network) -> dict[str, Any]:
    """Describe a network by what JSON has."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "input": list(network.shape),
        "members": [[_layer_as_json(layer) for layer in member] for member in network.members],
    }


def write_network(path: Path, network: Network) -> None:
    """Write model.json, whole or not at all."""
    write_text(path, json.dumps(network_to_dict(network)) + "\n")


def read_network(path: Path) -> Network:
    """Read a model.json that anybody may have written: every size, type, shape and number is checked.

    Raises:
        AslkitError: missing, damaged, too large, of another version, or no network.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
        values = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(values, dict) and values.get("format") == FORMAT and values.get("version") != VERSION:
            raise AslkitError(
                f"{path} is of version {values.get('version')!r}; this aslkit reads {VERSION}. Update it."
            )
        return _network(values)
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise AslkitError(f"{path} is damaged: {reason}. Train again, or copy the whole run folder.") from error


def _layer_as_json(layer: Layer) -> dict[str, Any]:
    size = {"size": list(layer.size)} if layer.size else {}
    return {"kind": layer.kind} | size | {name: _coded(values) for name, values in layer.weights.items()}


def _coded(values: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(values, "<f4").tobytes()
    return {"shape": list(values.shape), "float32": base64.b64encode(data).decode("ascii")}


def _network(values: Any) -> Network:
    found = _object(values, {"format", "version", "input", "members"}, "it")
    if found["format"] != FORMAT:
        raise ValueError(f"its format is {found['format']!r}, not {FORMAT!r}")
    members = _rows(found["members"], _MOST_MEMBERS, "members")
    return Network(shape=_sizes(found["input"], 3, "input"), members=tuple(map(_member, members)))


def _member(layers: Any) -> tuple[Layer, ...]:
    return tuple(
        _layer(each, f"layer {number}") for number, each in enumerate(_rows(layers, _MOST_LAYERS, "layers"), 1)
    )


def _layer(values: Any, where: str) -> Layer:
    name = values.get("kind") if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"{where} is of kind {name!r:.60}; known are {', '.join(KINDS)}")
    kind = KINDS[name]
    found = _object(values, {"kind", *kind.weights, *(["size"] if kind.sized else [])}, where)
    weights = {each: _decoded(found[each], count, f"the {each} of {where}") for each, count in kind.weights.items()}
    if "deviation" in weights and not (weights["deviation"] > 0).all():
        raise ValueError(f"the deviation of {where} is not above zero")
    size = _sizes(found["size"], 2, f"the size of {where}") if kind.sized else ()
    if kind.sized and len(size) != 2:
        raise ValueError(f"the size of {where} is not a height and a width")
    return Layer(kind=name, weights=weights, size=size)


def _decoded(values: Any, dimensions: int, where: str) -> Array:
    found = _object(values, {"shape", "float32"}, where)
    shape = _sizes(found["shape"], dimensions, where)
    if len(shape) != dimensions:
        raise ValueError(f"{where} has {len(shape)} dimensions, not {dimensions}")
    if not isinstance(found["float32"], str):
        raise ValueError(f"{where} is no text of base64")
    try:
        data = base64.b64decode(found["float32"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"{where} is no base64 ({error})") from error
    if len(data) != 4 * prod(shape):
        raise ValueError(f"{where} has {len(data)} bytes, its shape says {4 * prod(shape)}")
    array = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{where} has values that are no finite numbers")
    return array


def _object(values: Any, keys: set[str], where: str) -> dict[str, Any]:
    if not isinstance(values, dict) or set(values) != keys:
        raise ValueError(f"{where} is not an object of just {', '.join(sorted(keys))}")
    return values


def _rows(values: Any, most: int, what: str) -> list[Any]:
    if not isinstance(values, list) or not 1 <= len(values) <= most:
        raise ValueError(f"its {what} are not a list of 1 to {most}")
    return values


def _sizes(values: Any, most: int, where: str) -> tuple[int, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= most:
        raise ValueError(f"{where} has no shape of 1 to {most} numbers")
    if not all(type(each) is int and 1 <= each <= MAX_BYTES for each in values):
        raise ValueError(f"{where} has a shape that is not of whole numbers above zero")
    return tuple(values)
