"""Reads and writes model.json: a network as JSON, with weights as base64 of little-endian float32.

Unlike a pickle, the file contains no code.
"""

import base64
import json
from math import prod
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta

from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.inference.network import LAYER_KINDS, Array, Layer, Network

FORMAT: Final = "aslkit network"
VERSION: Final = 1

MAX_BYTES: Final = 256_000_000
"""Maximum size of a file: 48 million weights, a hundred times those of the largest network in aslkit."""

_MAX_MEMBERS: Final = 100
_MAX_LAYERS: Final = 200

_Side = Annotated[int, Meta(ge=1, le=MAX_BYTES)]
_Index = Annotated[int, Meta(ge=0, le=MAX_BYTES)]
_Shape = Annotated[tuple[_Side, ...], Meta(min_length=1, max_length=4)]
_KindName = Literal[tuple(LAYER_KINDS)]  # type: ignore[valid-type]


class _Header(msgspec.Struct):
    """What decides whether the rest can be read."""

    format: Any = None
    version: Any = None


class _NetworkFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file. Layers are parsed separately, because their keys depend on their kind."""

    format: str
    version: int
    input: Annotated[tuple[_Side, ...], Meta(min_length=1, max_length=3)]
    members: Annotated[
        list[Annotated[list[dict[str, msgspec.Raw]], Meta(min_length=1, max_length=_MAX_LAYERS)]],
        Meta(min_length=1, max_length=_MAX_MEMBERS),
    ]
    weights: tuple[float, ...] = ()  # earlier versions wrote none


class _ArrayData(msgspec.Struct, forbid_unknown_fields=True):
    """An array: its shape, and its values as little-endian float32 in base64, which msgspec decodes."""

    shape: _Shape
    float32: bytes


def network_to_dict(network: Network) -> dict[str, Any]:
    """Return a network as values that can be written as JSON."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "input": list(network.shape),
        "members": [[_layer_to_dict(layer) for layer in member] for member in network.members],
        "weights": list(network.weights),
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
        data = path.read_bytes()
        # The version comes first: a file of a later version may have other keys, and is not damaged.
        header = msgspec.json.decode(data, type=_Header)
        if header.format != FORMAT:
            raise ValueError(f"its format is {header.format!r:.60}, not {FORMAT!r}")
        if header.version != VERSION:
            raise AslkitError(
                f"{path} has version {header.version!r:.60}, but this aslkit reads version {VERSION}. Update aslkit."
            )
        return _parse_network(data)
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise AslkitError(f"{path} is damaged: {reason}. Train again, or copy the whole run folder again.") from error


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    size = {"size": list(layer.size)} if layer.size else {}
    return {"kind": layer.kind} | size | {name: _encode_array(values) for name, values in layer.weights.items()}


def _encode_array(values: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(values, "<f4").tobytes()
    return {"shape": list(values.shape), "float32": base64.b64encode(data).decode("ascii")}


def _parse_network(data: bytes) -> Network:
    file = msgspec.json.decode(data, type=_NetworkFile)
    members = [tuple(_parse_layer(layer, number) for number, layer in enumerate(member, 1)) for member in file.members]
    return Network(shape=file.input, members=tuple(members), weights=file.weights)


def _parse_layer(values: dict[str, msgspec.Raw], number: int) -> Layer:
    """Parse a layer, which has exactly the keys that its kind defines."""
    try:
        name = msgspec.json.decode(values.get("kind", b"null"), type=_KindName)
    except msgspec.ValidationError as error:
        raise ValueError(f"layer {number} has an unknown kind; known kinds are {', '.join(LAYER_KINDS)}") from error
    kind = LAYER_KINDS[name]
    if set(values) != (keys := {"kind", *kind.dimensions, *(["size"] if kind.has_size else [])}):
        raise ValueError(f"layer {number}, {name}, does not have exactly the keys {', '.join(sorted(keys))}")
    try:
        size = msgspec.json.decode(values["size"], type=tuple[_Index, _Index]) if kind.has_size else ()
        weights = {
            weight: _decode_array(msgspec.json.decode(values[weight], type=_ArrayData), dimensions)
            for weight, dimensions in kind.dimensions.items()
        }
    except ValueError as error:
        raise ValueError(f"layer {number}, {name}: {error}") from error
    if "deviation" in weights and not (weights["deviation"] > 0).all():
        raise ValueError(f"layer {number}, {name}: the deviation is not positive")
    return Layer(kind=name, weights=weights, size=size)


def _decode_array(encoded: _ArrayData, dimensions: int) -> Array:
    shape, data = encoded.shape, encoded.float32
    if len(shape) != dimensions:
        raise ValueError(f"an array has {len(shape)} dimensions, not {dimensions}")
    # The shape is only a claim of the file, so it must match the bytes that are there.
    if len(data) != 4 * prod(shape):
        raise ValueError(f"an array has {len(data)} bytes, but its shape requires {4 * prod(shape)}")
    array = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    # A single NaN would spread to all probabilities, and comparing them would give an arbitrary letter.
    if not np.isfinite(array).all():
        raise ValueError("an array contains infinite or undefined values")
    return array
