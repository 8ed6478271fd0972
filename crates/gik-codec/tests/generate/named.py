"""The messages that tests call by name."""

import struct

import numpy as np

from messages import assemble, complex_packing, packed, png, sections

NX, NY = 12, 8


def field(nx=NX, ny=NY, amplitude=20.0):
    j, i = np.mgrid[0:ny, 0:nx]
    return 270.0 + amplitude * np.abs(np.sin(i / 3.0) * np.cos(j / 2.0)) + ((7 * i + 3 * j) % 5) / 8


def integers(shift=0):
    return [int(v) + shift for v in np.round((field() - 260) * 8).ravel()]


def submessages(one):
    """Two fields in one message; the second has other data and the first one's bitmap."""
    at = dict(sections(one))
    end = len(one) - 4
    second = one[at[4] : at[6]] + struct.pack(">IBB", 6, 6, 254) + one[at[7] : end]
    body = one[16:end] + second + b"7777"
    return one[:8] + struct.pack(">Q", 16 + len(body)) + body


def south_up(message):
    message = bytearray(message)
    at = dict(sections(message))[3]
    message[at + 71] = 0x40
    first, last = message[at + 46 : at + 50], message[at + 55 : at + 59]
    message[at + 46 : at + 50], message[at + 55 : at + 59] = last, first
    return bytes(message)


# In these depths ecCodes does not read PNG; expected are the values that were packed.
UNREAD = {f"png_{bits}": bits for bits in (1, 2, 4, 24, 32)}


def png_integers(bits):
    return (np.arange(NX * NY) * 2654435761) % (1 << bits)


def png_values(bits):
    """The formula, in ecCodes' order of operations."""
    return (png_integers(bits) * 0.125 + 1.5) * 0.1


def messages():
    """Names and messages."""
    def of(packing, values=None, nx=NX, ny=NY, mask=None, **keys):
        return packed(field(nx, ny) if values is None else values, packing, nx, ny, 0, mask, **keys)

    mask = ((np.arange(NX * NY) * 7) % 11 < 3).reshape(NY, NX)
    simple = of("grid_simple", field() - field().min() + 270.0, bitsPerValue=12)
    bitmap = of("grid_simple", mask=mask, decimalPrecision=2)
    yield "simple", simple
    yield "simple_bitmap", bitmap
    every = np.ones((NY, NX), dtype=bool)
    yield "all_missing", of("grid_simple", mask=every, decimalPrecision=2)
    yield "all_missing_jpeg2000", of("grid_jpeg", mask=every, bitsPerValue=12)
    constant = np.full((NY, NX), 273.15)
    yield "simple_zero_bits", of("grid_simple", constant)
    for bits in (7, 24, 32):
        yield f"simple_{bits}_bits", of("grid_simple", bitsPerValue=bits)
    yield "ieee32", of("grid_ieee", precision=1)
    yield "ieee64", of("grid_ieee", precision=2)
    # Smaller images than this come out larger than the buffer that ecCodes writes to.
    for bits in (8, 16):
        yield f"png_{bits}", of("grid_png", nx=40, ny=30, bitsPerValue=bits)
    for name, bits in UNREAD.items():
        numbers = [int(v) for v in png_integers(bits)]
        yield name, assemble(*png(numbers, bits, NX, (1.5, -3, 1)), NX, NY)
    yield "jpeg2000", of("grid_jpeg", bitsPerValue=12)
    yield "jpeg2000_bitmap", of("grid_jpeg", mask=mask, bitsPerValue=16)
    for bits in (1, 3, 4, 8, 12, 16, 20, 24, 31):
        yield f"ccsds_{bits}", of("grid_ccsds", bitsPerValue=bits)
    yield "ccsds_bitmap", of("grid_ccsds", mask=mask, bitsPerValue=16)
    # Plateaus make zero blocks and second extensions; more than one reference interval.
    plateaus = np.round(field(40, 50, 3.0)) + (np.mgrid[0:50, 0:40][0] > 30) * 9
    plateaus[5:25] = 271
    keys = {"bitsPerValue": 10, "ccsdsRsi": 8, "ccsdsBlockSize": 16}
    yield "ccsds_plateaus", of("grid_ccsds", plateaus, nx=40, ny=50, **keys)
    yield "ccsds_zero_bits", of("grid_ccsds", constant)
    yield "complex_packed", of("grid_complex", bitsPerValue=12)
    yield "differenced_packed", of("grid_complex_spatial_differencing", bitsPerValue=12)
    holes = [None if m else v for v, m in zip(integers(), mask.ravel())]
    # A whole group missing, and a whole group equal.
    holes[20:25] = [None] * 5
    holes[40:45] = [17] * 5
    both = list(holes)
    both[3], both[31] = "second", "second"
    both[60:65] = ["second"] * 5
    # First values above half the range of their octets: they have no sign.
    large = {"octets": 1}
    for name, values, order, management, scale, options in [
        ("complex", integers(), 0, 0, (260.0, -3, 0), {}),
        ("complex_missing", holes, 0, 1, (2600.0, -3, 1), {}),
        ("complex_missing_both", both, 0, 2, (26.0, 1, -1), {}),
        ("first_order", integers(), 1, 0, (260.0, -3, 0), {}),
        ("first_order_missing", holes, 1, 1, (26000.0, -3, 2), {}),
        ("second_order", integers(), 2, 0, (260000.0, -3, 3), {}),
        ("second_order_missing", holes, 2, 1, (260.0, -3, 0), {}),
        ("second_order_missing_both", both, 2, 2, (260.0, -3, 0), {}),
        ("second_order_large_first", integers(100), 2, 0, (0.0, 0, 0), large),
    ]:
        described = {"octets": 2, "least_width": 2, "length_reference": 4, "length_bits": 2}
        described.update(options)
        section5, data, _ = complex_packing(values, order, management, scale, **described)
        yield name, assemble(section5, data, NX, NY)
    yield "submessages", submessages(bitmap)
    yield "simple_south_up", south_up(simple)
