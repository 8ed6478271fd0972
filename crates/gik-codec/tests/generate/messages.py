"""GRIB2 messages octet by octet: for what ecCodes decodes and does not write."""

import struct
import zlib

import eccodes as ec
import numpy as np


class Bits:
    def __init__(self):
        self.text = []

    def put(self, value, width):
        if width:
            assert 0 <= value < 1 << width, (value, width)
            self.text.append(format(value, f"0{width}b"))

    def octets(self):
        """What was put so far, filled up to a whole octet."""
        text = "".join(self.text)
        text += "0" * (-len(text) % 8)
        return int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]


def packed_bits(values, width):
    bits = Bits()
    for value in values:
        bits.put(int(value), width)
    return bits.octets()


def grid_handle(nx, ny, scan=0, sample="regular_ll_sfc_grib2"):
    """A grid of 360 / nx and 10 degrees whose coordinates run as `scan` says."""
    north, south, east = 70, 70 - 10 * (ny - 1), 360 - 360 / nx
    first, last = (south, north) if scan & 0x40 else (north, south)
    west = 0
    if scan & 0x80:
        west, east = east, west
    h = ec.codes_grib_new_from_samples(sample)
    for key, value in {
        "Ni": nx,
        "Nj": ny,
        "latitudeOfFirstGridPointInDegrees": first,
        "longitudeOfFirstGridPointInDegrees": west,
        "latitudeOfLastGridPointInDegrees": last,
        "longitudeOfLastGridPointInDegrees": east,
        "iDirectionIncrementInDegrees": 360 / nx,
        "jDirectionIncrementInDegrees": 10,
    }.items():
        ec.codes_set(h, key, value)
    return h


def sections(message):
    """Numbers and offsets of the sections."""
    position = 16
    while message[position : position + 4] != b"7777":
        yield message[position + 4], position
        position += int.from_bytes(message[position : position + 4], "big")


def with_scan(message, scan):
    """The message with another scanning mode."""
    message = bytearray(message)
    message[dict(sections(message))[3] + 71] = scan
    return bytes(message)


def with_scaling(message, reference, binary, decimal):
    """The message with another reference value and other scale factors."""
    message = bytearray(message)
    at = dict(sections(message))[5] + 11
    message[at : at + 8] = scaling(reference, binary, decimal)
    return bytes(message)


HEADS = {}


def head(nx, ny, scan):
    """Section 0 and sections 1, 3 and 4 of a message on this grid."""
    key = nx, ny, scan
    if key not in HEADS:
        h = grid_handle(nx, ny, scan)
        # The number of points follows from setting values.
        ec.codes_set_values(h, np.zeros(nx * ny))
        base = with_scan(ec.codes_get_message(h), scan)
        ec.codes_release(h)
        at = dict(sections(base))
        HEADS[key] = base[:8], base[16 : at[5]]
    return HEADS[key]


def assemble(section5, data, nx, ny, scan=0, mask=None):
    """A message of these octets of section 5 (from the sixth) and section 7.

    `mask`, true where a point is missing, becomes a bitmap.
    """
    indicator, body = head(nx, ny, scan)
    body += struct.pack(">IB", len(section5) + 5, 5) + section5
    if mask is None:
        body += struct.pack(">IBB", 6, 6, 255)
    else:
        bitmap = np.packbits(~np.asarray(mask, dtype=bool).ravel()).tobytes()
        body += struct.pack(">IBB", 6 + len(bitmap), 6, 0) + bitmap
    body += struct.pack(">IB", len(data) + 5, 7) + data + b"7777"
    return indicator + struct.pack(">Q", 16 + len(body)) + body


def scaling(reference, binary, decimal):
    def signed(value):
        return struct.pack(">H", abs(value) | (0x8000 if value < 0 else 0))

    return struct.pack(">f", reference) + signed(binary) + signed(decimal)


def simple(integers, bits, scale):
    """Template 5.0: section 5 and section 7."""
    section5 = struct.pack(">IH", len(integers), 0) + scaling(*scale) + bytes([bits, 0])
    return section5, packed_bits(integers, bits)


def complex_packing(
    integers,
    order,
    management,
    scale,
    lengths=None,
    octets=None,
    bits=0,
    widened=0,
    least_width=1,
    width_reference=None,
    width_bits=None,
    length_reference=None,
    length_increment=1,
    length_bits=None,
):
    """Template 5.2 (order 0) or 5.3: section 5, section 7 and the widest number in it.

    `integers` are the packed integers, None and "second" the missing ones; `lengths` those
    of the groups. A group of equal values has width 0. `bits` are the least bits of the
    group references, `widened` what each group that has a width gets more than it needs.
    """
    diffs = list(integers)
    present = [k for k, v in enumerate(integers) if isinstance(v, int)]
    values, minimum = [integers[k] for k in present], 0
    if order:
        steps = list(values)
        for _ in range(order):
            steps = [b - a for a, b in zip(steps, steps[1:])]
        minimum = min(steps, default=0)
        for k in present[:order]:
            diffs[k] = 0
        for k, step in zip(present[order:], steps):
            diffs[k] = step - minimum
    if lengths is None:
        lengths = [5] * (len(diffs) // 5) + ([len(diffs) % 5] if len(diffs) % 5 else [])
    assert sum(lengths) == len(diffs)
    groups, at = [], 0
    for length in lengths:
        groups.append(diffs[at : at + length])
        at += length
    described = []
    for group in groups:
        numbers = [v for v in group if isinstance(v, int)]
        if not numbers:
            kind = "missing" if group and group[0] is None else "second" if group else 0
            if kind == "missing" and "second" in group or kind == "second" and None in group:
                # Both kinds in a group: one value 0 of a width that tells them apart.
                described.append((0, 2))
            else:
                described.append((kind, 0))
            continue
        low, span = min(numbers), max(numbers) - min(numbers)
        plain = span == 0 and len(numbers) == len(group)
        width = 0 if plain else max((span + management).bit_length(), least_width)
        described.append((low, width + max(min(widened, 32 - width), 0) if width else 0))
    lows = [low for low, _ in described if isinstance(low, int)]
    bits = max(bits, (max(lows, default=0) + management).bit_length())
    ones = (1 << bits) - 1
    widths = [width for _, width in described]
    assert bits <= 32 and max(widths) <= 32, (bits, widths)
    if width_reference is None:
        width_reference = min(widths)
    if width_bits is None:
        width_bits = (max(widths) - width_reference).bit_length()
    if length_reference is None:
        length_reference = min(lengths[:-1], default=0)
    scaled_lengths = [(length - length_reference) // length_increment for length in lengths[:-1]]
    if length_bits is None:
        length_bits = max(scaled_lengths, default=0).bit_length()

    data = b""
    if order:
        if octets is None:
            largest = max(*values[:order], 2 * abs(minimum), 1)
            octets = (largest.bit_length() + 7) // 8
        for value in values[:order]:
            data += value.to_bytes(octets, "big")
        data += (abs(minimum) | ((minimum < 0) << (8 * octets - 1))).to_bytes(octets, "big")
    codes = {"missing": ones, "second": ones - 1}
    data += packed_bits([codes.get(low, low) for low, _ in described], bits)
    data += packed_bits([width - width_reference for width in widths], width_bits)
    # The last group's length is in section 5 and its place here empty.
    data += packed_bits(scaled_lengths + [0], length_bits)
    out = Bits()
    for group, (low, width) in zip(groups, described):
        full = (1 << width) - 1
        for value in group if width else []:
            out.put(full if value is None else full - 1 if value == "second" else value - low, width)
    data += out.octets()

    section5 = struct.pack(">IH", len(integers), 3 if order else 2)
    section5 += scaling(*scale) + bytes([bits, 0, 1, management])
    section5 += struct.pack(">ff", 9999.0, -9999.0)
    section5 += struct.pack(">I", len(groups)) + bytes([width_reference, width_bits])
    section5 += struct.pack(">IBI", length_reference, length_increment, lengths[-1])
    section5 += bytes([length_bits])
    if order:
        section5 += bytes([order, octets])
    return section5, data, max(bits, *widths)


def ieee(values, precision):
    """Template 5.4: single (1) or double (2) precision."""
    section5 = struct.pack(">IHB", len(values), 4, precision)
    return section5, np.asarray(values).astype({1: ">f4", 2: ">f8"}[precision]).tobytes()


def png(integers, bits, width, scale):
    """Template 5.41: an image of rows of `width` pixels."""
    colour, depth = {24: (2, 8), 32: (6, 8)}.get(bits, (0, bits))
    rows = b""
    for start in range(0, len(integers), width):
        rows += b"\0" + packed_bits(integers[start : start + width], bits)

    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", width, len(integers) // width, depth, colour, 0, 0, 0)
    image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    image += chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    section5 = struct.pack(">IH", len(integers), 41) + scaling(*scale) + bytes([bits, 0])
    return section5, image


def packed(values, packing, nx, ny, scan=0, mask=None, **keys):
    """A message packed by ecCodes with these keys."""
    h = grid_handle(nx, ny, scan)
    ec.codes_set(h, "packingType", packing)
    values = np.array(values, dtype="f8").ravel()
    if mask is not None:
        ec.codes_set(h, "bitmapPresent", 1)
        ec.codes_set(h, "missingValue", 1e20)
        values = np.where(np.asarray(mask).ravel(), 1e20, values)
    for key, value in keys.items():
        ec.codes_set(h, key, value)
    ec.codes_set_values(h, values)
    message = with_scan(ec.codes_get_message(h), scan)
    ec.codes_release(h)
    return message
