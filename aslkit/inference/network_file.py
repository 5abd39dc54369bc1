"""Reads and writes model.json: a network as JSON, with weights as base64 of little-endian float32.

Unlike a pickle, the file contains no code.
"""

import base64
import binascii
import json
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.inference.network import LAYER_KINDS, Array, Layer, Network

FORMAT: Final = "aslkit network"
VERSION: Final = 1

MAX_BYTES: Final = 256_000_000
"""Maximum size of a file: 48 million weights, a hundred times those of the largest network in aslkit."""

_MAX_MEMBERS: Final = 100
_MAX_LAYERS: Final = 200


def network_to_dict(network: Network) -> dict[str, Any]:
    """Return a network as values that can be written as JSON."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "input": list(network.shape),
        "members": [[_layer_to_dict(layer) for layer in member] for member in network.members],
    }


def write_network(path: Path, network: Network) -> None:
    """Write model.json atomically."""
    write_text(path, json.dumps(network_to_dict(network)) + "\n")


def read_network(path: Path) -> Network:
    """Parse and validate an untrusted model.json.

    Raises:
        AslkitError: the file is missing, damaged or too large, has another version, or does not contain a network.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
        values = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(values, dict) and values.get("format") == FORMAT and values.get("version") != VERSION:
            raise AslkitError(
                f"{path} has version {values.get('version')!r}, but this aslkit reads version {VERSION}. Update aslkit."
            )
        return _parse_network(values)
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise AslkitError(f"{path} is damaged: {reason}. Train again, or copy the whole run folder again.") from error


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    size = {"size": list(layer.size)} if layer.size else {}
    return {"kind": layer.kind} | size | {name: _encode_array(values) for name, values in layer.weights.items()}


def _encode_array(values: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(values, "<f4").tobytes()
    return {"shape": list(values.shape), "float32": base64.b64encode(data).decode("ascii")}


def _parse_network(values: Any) -> Network:
    network = _check_object(values, {"format", "version", "input", "members"}, "it")
    if network["format"] != FORMAT:
        raise ValueError(f"its format is {network['format']!r}, not {FORMAT!r}")
    members = _check_list(network["members"], _MAX_MEMBERS, "members")
    return Network(shape=_parse_shape(network["input"], 3, "the input"), members=tuple(map(_parse_member, members)))


def _parse_member(values: Any) -> tuple[Layer, ...]:
    layers = _check_list(values, _MAX_LAYERS, "layers")
    return tuple(_parse_layer(layer, f"layer {number}") for number, layer in enumerate(layers, 1))


def _parse_layer(values: Any, location: str) -> Layer:
    name = values.get("kind") if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in LAYER_KINDS:
        raise ValueError(f"{location} has the unknown kind {name!r:.60}; known kinds are {', '.join(LAYER_KINDS)}")
    kind = LAYER_KINDS[name]
    layer = _check_object(values, {"kind", *kind.dimensions, *(["size"] if kind.has_size else [])}, location)
    weights = {
        weight: _decode_array(layer[weight], dimensions, f"the {weight} of {location}")
        for weight, dimensions in kind.dimensions.items()
    }
    if "deviation" in weights and not (weights["deviation"] > 0).all():
        raise ValueError(f"the deviation of {location} is not positive")
    size = _parse_shape(layer["size"], 2, f"the size of {location}") if kind.has_size else ()
    if kind.has_size and len(size) != 2:
        raise ValueError(f"the size of {location} is not a height and a width")
    return Layer(kind=name, weights=weights, size=size)


def _decode_array(values: Any, dimensions: int, location: str) -> Array:
    encoded = _check_object(values, {"shape", "float32"}, location)
    shape = _parse_shape(encoded["shape"], dimensions, location)
    if len(shape) != dimensions:
        raise ValueError(f"{location} has {len(shape)} dimensions, not {dimensions}")
    if not isinstance(encoded["float32"], str):
        raise ValueError(f"{location} is not a base64 string")
    try:
        data = base64.b64decode(encoded["float32"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"{location} is not valid base64 ({error})") from error
    if len(data) != 4 * prod(shape):
        raise ValueError(f"{location} has {len(data)} bytes, but its shape requires {4 * prod(shape)}")
    array = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{location} contains infinite or undefined values")
    return array


def _check_object(values: Any, keys: set[str], location: str) -> dict[str, Any]:
    if not isinstance(values, dict) or set(values) != keys:
        raise ValueError(f"{location} is not an object with exactly the keys {', '.join(sorted(keys))}")
    return values


def _check_list(values: Any, max_length: int, name: str) -> list[Any]:
    if not isinstance(values, list) or not 1 <= len(values) <= max_length:
        raise ValueError(f"its {name} are not a list of 1 to {max_length}")
    return values


def _parse_shape(values: Any, max_dimensions: int, location: str) -> tuple[int, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= max_dimensions:
        raise ValueError(f"{location} has no shape of 1 to {max_dimensions} numbers")
    # bool is a subclass of int
    if not all(type(value) is int and 1 <= value <= MAX_BYTES for value in values):
        raise ValueError(f"{location} has a shape that does not consist of positive integers")
    return tuple(values)
