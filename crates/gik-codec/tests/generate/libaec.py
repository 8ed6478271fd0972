"""Template 5.42 by libaec itself, as it comes with ecCodes: all its options can be set."""

import ctypes
import struct
from pathlib import Path

import eccodeslib
import numpy as np

from messages import scaling

SIGNED, THREE_BYTES, BIG_ENDIAN, PREPROCESS, RESTRICTED, PAD = 1, 2, 4, 8, 16, 32


class Stream(ctypes.Structure):
    _fields_ = [
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_size_t),
        ("total_in", ctypes.c_size_t),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_size_t),
        ("total_out", ctypes.c_size_t),
        ("bits_per_sample", ctypes.c_uint),
        ("block_size", ctypes.c_uint),
        ("rsi", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("state", ctypes.c_void_p),
    ]


[folder] = [Path(place) for place in eccodeslib.__path__]
LIBRARY = ctypes.CDLL(str(folder / "lib64" / "libaec.so"))


def encode(integers, bits, flags, block, interval):
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    source = np.asarray(integers, dtype=f">u{size}").tobytes()
    target = ctypes.create_string_buffer(2 * len(source) + 1024)
    stream = Stream(
        ctypes.cast(ctypes.c_char_p(source), ctypes.c_void_p),
        len(source),
        0,
        ctypes.cast(target, ctypes.c_void_p),
        len(target),
        0,
        bits,
        block,
        interval,
        flags & ~THREE_BYTES | BIG_ENDIAN,
        None,
    )
    status = LIBRARY.aec_buffer_encode(ctypes.byref(stream))
    assert status == 0, (status, bits, flags, block, interval)
    return target.raw[: stream.total_out]


def ccsds(integers, bits, flags, block, interval, scale):
    """Section 5 and section 7."""
    flags |= BIG_ENDIAN
    if flags & PAD:
        # libaec reads intervals that begin at whole bytes and does not write them: each is
        # encoded by itself.
        step = block * interval
        parts = [integers[k : k + step] for k in range(0, len(integers), step)]
        data = b"".join(encode(part, bits, flags & ~PAD, block, interval) for part in parts)
    else:
        data = encode(integers, bits, flags, block, interval)
    section5 = struct.pack(">IH", len(integers), 42) + scaling(*scale)
    section5 += bytes([bits, 0, flags, block]) + struct.pack(">H", interval)
    return section5, data
