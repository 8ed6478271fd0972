"""The codec of GRIB messages for Zarr arrays: each chunk is a message, decoded when it is read.

The models' own ids are registered when the package is installed. Stores that name the codec
`gribberish` are read with this one after `use_codec()`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import zarr
import zarr.registry
from zarr.abc.codec import ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin
from zarr.abc.store import ByteGetter
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer
from zarr.core.common import JSON, parse_named_configuration
from zarr.core.indexing import SelectorTuple
from zarr.errors import UnknownCodecError

from gik._gik import Decoder
from gik.errors import GribError

__all__ = ["ECMWFCodec", "GEFSCodec", "GribCodec", "GribberishCodec", "HRRRCodec", "use_codec"]


@dataclass(frozen=True, init=False)
class GribCodec(ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin):
    """Decodes GRIB messages. It only reads, and decodes no more of a message than is asked for.

    Values are float32 or float64, in the units of the message; missing points are NaN.

    Args:
        var: `latitude` or `longitude` for the coordinates of the message's grid (in degrees), else
            its data. Of `hrrr_gribberish` also `time`, `step` (in seconds) or a type of level.
        adjust_longitude_range: Turn a global grid of 0…360° to −180…180°.
        north_up: Put the northernmost row first.
        steps: Of `hrrr_gribberish`: the number of steps of the coordinate.

    Raises:
        ArgumentError: When there is another argument, or a value that it may not have.
    """

    codec_name: ClassVar[str]

    configuration: dict[str, JSON] = dataclasses.field(hash=False)
    _decoder: Decoder = dataclasses.field(repr=False, compare=False)

    def __init__(self, **configuration: JSON) -> None:
        object.__setattr__(self, "configuration", configuration)
        object.__setattr__(self, "_decoder", Decoder(self.codec_name, json.dumps(configuration)))

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        _, configuration = parse_named_configuration(data, cls.codec_name, require_configuration=False)
        return cls(**(configuration or {}))

    def to_dict(self) -> dict[str, JSON]:
        if not self.configuration:
            return {"name": self.codec_name}
        return {"name": self.codec_name, "configuration": dict(self.configuration)}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        raise NotImplementedError

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        raise NotImplementedError(f"the codec '{self.codec_name}' is read-only: it does not encode GRIB")

    def _encode_sync(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        raise NotImplementedError(f"the codec '{self.codec_name}' is read-only: it does not encode GRIB")

    # Decoding happens in other threads than the one that fetches, so that the two overlap.

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    async def _decode_partial_single(
        self, byte_getter: ByteGetter, selection: SelectorTuple, chunk_spec: ArraySpec
    ) -> NDBuffer | None:
        chunk_data = await byte_getter.get(prototype=chunk_spec.prototype)
        if chunk_data is None:
            return None
        return await asyncio.to_thread(self._decode_selection, chunk_data, selection, chunk_spec)

    def _decode_sync(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        dtype, element = self._elements(chunk_spec)
        values = self._decoder.decode(_bytes(chunk_data), math.prod(chunk_spec.shape), element)
        return _buffer(values.view(dtype).reshape(chunk_spec.shape), chunk_spec)

    def _decode_partial_sync(
        self, byte_getter: Any, selection: SelectorTuple, chunk_spec: ArraySpec
    ) -> NDBuffer | None:
        chunk_data = byte_getter.get_sync(prototype=chunk_spec.prototype)
        return None if chunk_data is None else self._decode_selection(chunk_data, selection, chunk_spec)

    def _decode_selection(
        self, chunk_data: Buffer, selection: SelectorTuple, chunk_spec: ArraySpec
    ) -> NDBuffer:
        """The selected part of a chunk: of the message only the smallest rectangle that has it."""
        shape = chunk_spec.shape
        rectangle = None if math.prod(shape[:-2]) != 1 else _rectangle(selection, shape)
        if rectangle is None:
            return self._decode_sync(chunk_data, chunk_spec)[selection]
        (rows, columns), rest = rectangle
        dtype, element = self._elements(chunk_spec)
        values = self._decoder.decode_region(_bytes(chunk_data), shape[-2:], rows, columns, element)
        part = (*shape[:-2], rows[1] - rows[0], columns[1] - columns[0])
        return _buffer(values.view(dtype).reshape(part)[rest], chunk_spec)

    def _elements(self, chunk_spec: ArraySpec) -> tuple[np.dtype[Any], str]:
        """The type of the array's elements, and what they are decoded to."""
        dtype = chunk_spec.dtype.to_native_dtype()
        if dtype in (np.dtype(np.float32), np.dtype(np.float64)):
            return dtype, dtype.name
        seconds = (np.dtype(np.int64), np.dtype("datetime64[s]"), np.dtype("timedelta64[s]"))
        if dtype in seconds and not self._decoder.is_of_points:
            return dtype, "int64"
        raise GribError(
            f"codec '{self.codec_name}': cannot decode to {dtype}"
            " (it decodes to float32 and float64, times also to whole seconds)"
        )


def _bytes(chunk_data: Buffer) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(chunk_data.as_numpy_array()).view(np.uint8)


def _buffer(values: npt.NDArray[Any], chunk_spec: ArraySpec) -> NDBuffer:
    return chunk_spec.prototype.nd_buffer.from_ndarray_like(values)


type _Range = tuple[int, int]


def _rectangle(
    selection: SelectorTuple, shape: tuple[int, ...]
) -> tuple[tuple[_Range, _Range], tuple[Any, ...]] | None:
    """The rows and columns (first, last + 1) that a selection touches, and what it selects of them.

    None where the selection is not made of one selector for each dimension.
    """
    if not isinstance(selection, tuple) or len(selection) != len(shape) or len(shape) < 2:
        return None
    touched = [_touched(selector, length) for selector, length in zip(selection[-2:], shape[-2:], strict=True)]
    rows, columns = touched
    if rows is None or columns is None:
        return None
    return (rows[0], columns[0]), (*selection[:-2], rows[1], columns[1])


def _touched(selector: Any, length: int) -> tuple[_Range, Any] | None:
    """The range that a selector touches, and the same selector counted from its start."""
    if isinstance(selector, slice):
        chosen = range(length)[selector]
        if len(chosen) == 0:
            return (0, 0), slice(0, 0)
        low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
        end = None if chosen.step < 0 and chosen[-1] == low else chosen[-1] - low + 1
        return (low, high + 1), slice(chosen[0] - low, end, chosen.step)
    if isinstance(selector, (int, np.integer)):
        index = range(length)[int(selector)]
        return (index, index + 1), 0
    if isinstance(selector, np.ndarray) and selector.dtype.kind in "iu":
        if selector.size == 0:
            return (0, 0), selector
        low, high = int(selector.min()), int(selector.max())
        return ((low, high + 1), selector - low) if low >= 0 else None
    return None


class GEFSCodec(GribCodec):
    """The codec `gefs_gribberish`: see `GribCodec`."""

    codec_name = "gefs_gribberish"


class ECMWFCodec(GribCodec):
    """The codec `ecmwf_gribberish`: see `GribCodec`."""

    codec_name = "ecmwf_gribberish"


class HRRRCodec(GribCodec):
    """The codec `hrrr_gribberish`, whose `var` may also be a coordinate: see `GribCodec`."""

    codec_name = "hrrr_gribberish"


class GribberishCodec(GribCodec):
    """The codec `gribberish`, in place of the package of that name: see `use_codec`."""

    codec_name = "gribberish"


_NAME = GribberishCodec.codec_name
_OURS = f"{GribberishCodec.__module__}.{GribberishCodec.__qualname__}"
_STOCK = "gribberish.zarr.codec.GribberishCodec"
_KEY = f"codecs.{_NAME}"

_lock = threading.Lock()
_uses = 0
_before: str | None = None


class _Use:
    """What `use_codec` gives back: a context that undoes it at its end."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _leave(self._count)


def use_codec(active: bool = True) -> _Use:
    """Reads stores that name the codec `gribberish` with this package's decoder.

    It is for arrays that are opened from now on, in this process. `use_codec(False)` undoes it;
    so does the end of `with use_codec(): …`.

    Stores are read faster by that and otherwise alike: of each message only the part that is
    asked for is decoded, several messages at a time.
    """
    global _before, _uses
    if not active:
        _leave(None)
        return _Use(0)
    with _lock:
        if _uses == 0:
            _before = _chosen()
            zarr.registry.register_codec(_NAME, GribberishCodec)
            zarr.config.set({_KEY: _OURS})
        _uses += 1
    return _Use(1)


def _chosen() -> str:
    """The implementation that would be taken now."""
    configured = zarr.config.get(_KEY, None)
    if isinstance(configured, str):
        return configured
    try:
        implementation = zarr.registry.get_codec_class(_NAME)
    except UnknownCodecError:
        # Whoever opens an array later is told that it is missing.
        return _STOCK
    if implementation is GribberishCodec:
        return _STOCK
    return f"{implementation.__module__}.{implementation.__qualname__}"


def _leave(count: int | None) -> None:
    """Ends so many uses, or all of them."""
    global _uses
    with _lock:
        if _uses == 0:
            return
        _uses = 0 if count is None else max(0, _uses - count)
        if _uses == 0:
            zarr.config.set({_KEY: _before})

