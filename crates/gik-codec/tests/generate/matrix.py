"""Every packing × bits × order × missing values × bitmap × scanning mode.

Each case is a name and a message. `small` is the subset that is committed, on small grids;
`full` is the whole cross product, and `large` fields of global size.
"""

import numpy as np

from libaec import PAD, PREPROCESS, RESTRICTED, ccsds
from messages import assemble, complex_packing, ieee, packed, png, simple, with_scaling

# R, E and D.
SCALES = [(0.0, 0, 0), (260.25, -5, 2), (-1.5e-3, 3, -1), (12345.678, -11, 0), (-1e-9, -40, -3)]
# The four bits that order the points; then bits that offset rows, and rows that differ.
SCANS = list(range(0, 256, 16))
OFFSETS = [0x08, 0x04, 0x02, 0x0E, 0x48, 0x01]


def rng(*seed):
    """Numbers that are the same in each run."""
    return np.random.default_rng(list(seed))


def holes(nx, ny, kind=1):
    """Where a bitmap marks points missing."""
    k = np.arange(nx * ny)
    return [None, (k * 7) % 11 < 3, k % 9 < 8, k < nx * ny // 2][kind]


def noise(count, bits, *seed):
    """Integers of up to so many bits, the extremes among them."""
    numbers = [int(v) for v in rng(bits, count, *seed).integers(0, 1 << bits, count)]
    if count > 2:
        numbers[count // 2], numbers[count // 3] = (1 << bits) - 1, 0
    return numbers


def wave(nx, ny, bits, *seed):
    """A smooth field of `bits` bits with a little noise, with falling slopes first."""
    j, i = np.mgrid[0:ny, 0:nx]
    field = (np.cos(i / 3.0) * np.cos(j / 2.5) + 1) / 2
    top = (1 << bits) - 1
    field = np.floor(field * top)
    if bits > 4:
        field = np.clip(field + rng(bits, *seed).integers(-2, 3, field.shape), 0, top)
    return [int(v) for v in field.ravel()]


def plateaus(nx, ny, bits):
    """Constant stretches and steps: long runs of zero blocks."""
    k = np.arange(nx * ny)
    top = (1 << bits) - 1
    field = np.where(k % 977 < 700, top // 2, np.where(k % 5 == 0, top // 2 + min(1, top // 2), top // 2))
    field[len(k) // 2 : len(k) // 2 + 40] = top
    field[-3:] = 0
    return [int(v) for v in field]


def random_field(nx, ny, bits):
    return noise(nx * ny, bits)


def with_missing(integers, management, *seed):
    """Marks some missing, also whole groups, by the ways that `management` has."""
    out = list(integers)
    random = rng(management, len(out), *seed)
    if management:
        for k in np.nonzero(random.random(len(out)) < 0.2)[0]:
            out[k] = None
        out[10:15] = [None] * 5
    if management == 2:
        for k in np.nonzero(random.random(len(out)) < 0.15)[0]:
            out[k] = "second"
        out[20:25] = ["second"] * 5
    return out


def present(values, mask):
    return values if mask is None else [v for v, gone in zip(values, mask) if not gone]


# How values are divided into groups, and how the groups are described.
def fives(count):
    return {}


def one_group(count):
    return {"lengths": [count]}


def uneven(count):
    lengths, left = [], count
    for k in range(count):
        length = min([3, 1, 9, 2, 17, 1][k % 6], left)
        lengths.append(length)
        left -= length
        if not left:
            return {"lengths": lengths}
    return {"lengths": lengths}


def empty_groups(count):
    """Groups of length 0 among the others, also the first and the last."""
    lengths = [0]
    for length in uneven(count)["lengths"]:
        lengths += [length, 0] if length == 9 else [length]
    if len(lengths) + 1 > count:
        return uneven(count)
    return {"lengths": lengths + [0]}


def increments(count):
    """Lengths 4 and 7: a reference and an increment of 3."""
    lengths, left = [], count
    while left > 7:
        lengths.append(7 if len(lengths) % 2 else 4)
        left -= lengths[-1]
    return {"lengths": lengths + [left], "length_reference": 1, "length_increment": 3}


def wide_descriptions(count):
    """All descriptions in more bits than they need."""
    return {"width_reference": 0, "width_bits": 17, "length_reference": 0, "length_bits": 29, "bits": 32}


def widened(count):
    """Groups in more bits than they need."""
    return {"widened": 3}


def ones(count):
    """A group for each value: only references."""
    return {"lengths": [1] * count}


STRUCTURES = [fives, uneven, one_group, empty_groups, increments, wide_descriptions, widened, ones]


def complex_case(nx, ny, bits, order, management, bitmap, scan, scale, structure, field=None):
    """None where 32 bits do not hold what spatial differencing makes of the values."""
    values = field(nx, ny, bits) if field else noise(nx * ny, bits, order) if bits < 29 or not order else wave(nx, ny, bits)
    mask = holes(nx, ny, bitmap)
    values = present(with_missing(values, management, bits), mask)
    options = structure(len(values))
    try:
        section5, data, widest = complex_packing(values, order, management, scale, **options)
    except AssertionError:
        return None
    message = assemble(section5, data, nx, ny, scan, mask)
    if management and widest == 32:
        # ecCodes takes zero for the mark of missing values in 32 bits, and the mark for a
        # value: expected are the values that were packed.
        return message, unpacked(values, scale, mask)
    return message


def unpacked(integers, scale, mask):
    """What the formula makes of packed integers, in ecCodes' order of operations."""
    reference, binary, decimal = scale

    def power(base, exponent):
        result = 1.0
        for _ in range(abs(exponent)):
            result = result / base if exponent < 0 else result * base
        return result

    factors = power(2.0, binary), float(np.float32(reference)), power(10.0, -decimal)
    present = iter(integers)
    values = []
    for gone in [False] * len(integers) if mask is None else mask:
        integer = None if gone else next(present)
        if isinstance(integer, int):
            values.append((integer * factors[0] + factors[1]) * factors[2])
        else:
            values.append(np.nan)
    return np.array(values)


def simple_case(nx, ny, bits, bitmap, scan, scale):
    mask = holes(nx, ny, bitmap)
    section5, data = simple(present(noise(nx * ny, bits), mask), bits, scale)
    return assemble(section5, data, nx, ny, scan, mask)


def ccsds_case(nx, ny, bits, field, flags, block, interval, bitmap=0, scan=0, scale=SCALES[0]):
    mask = holes(nx, ny, bitmap)
    values = present(field(nx, ny, bits), mask)
    return assemble(*ccsds(values, bits, flags, block, interval, scale), nx, ny, scan, mask)


def jpeg_case(nx, ny, bits, bitmap, scan, scale, field=random_field):
    values = np.array(field(nx, ny, bits), dtype="f8")
    message = packed(values, "grid_jpeg", nx, ny, scan, holes(nx, ny, bitmap), bitsPerValue=bits)
    return with_scaling(message, *scale)


def ccsds_options(bits):
    for flags in (PREPROCESS, PREPROCESS | PAD, 0, PAD):
        yield flags
        if bits <= 4:
            yield flags | RESTRICTED


FIELDS = {"random": random_field, "wave": wave, "plateaus": plateaus}


def small():
    """file, name, message: the subset that is committed. What is not crossed is rotated."""
    for bits in range(33):
        for bitmap in (0, 1):
            scan, scale = SCANS[(5 * bits) % 16], SCALES[(bits + bitmap) % 5]
            yield "simple", f"bits={bits} bitmap={bitmap}", simple_case(7, 5, bits, bitmap, scan, scale)
    for scan in SCANS + OFFSETS:
        for bitmap in (0, 1):
            name = f"scan={scan:#04x} bitmap={bitmap}"
            yield "scans", f"simple {name}", simple_case(7, 5, 12, bitmap, scan, SCALES[1])
            message = complex_case(7, 5, 9, 2, bitmap, bitmap, scan, SCALES[3], uneven)
            yield "scans", f"complex {name}", message
            message = ccsds_case(7, 5, 9, wave, PREPROCESS, 8, 2, bitmap, scan)
            yield "scans", f"ccsds {name}", message
        section5, data = ieee(np.linspace(-3, 9, 35), 2)
        yield "scans", f"ieee scan={scan:#04x}", assemble(section5, data, 7, 5, scan)
    turn = 0
    for order in (0, 1, 2):
        for management in (0, 1, 2):
            for bits in range(33):
                structure, scale = STRUCTURES[turn % 8], SCALES[turn % 5]
                scan, bitmap = SCANS[(turn // 8) % 16], (turn // 3) % 4 if turn % 3 == 0 else 0
                turn += 1
                message = complex_case(9, 5, bits, order, management, bitmap, scan, scale, structure)
                name = f"order={order} missing={management} bits={bits} bitmap={bitmap}"
                if message:
                    yield f"complex_{order}", f"{name} {structure.__name__} scan={scan:#04x}", message
            for structure in STRUCTURES:
                for bits in (0, 7, 27):
                    message = complex_case(9, 5, bits, order, management, 0, 0, SCALES[1], structure, wave)
                    name = f"wave order={order} missing={management} bits={bits} {structure.__name__}"
                    if message:
                        yield f"complex_{order}", name, message
    turn = 0
    for bits in range(1, 33):
        for flags in ccsds_options(bits):
            block, interval = (8, 16, 32, 64)[turn % 4], (1, 2, 7, 128, 4096)[turn % 5]
            kind, bitmap = list(FIELDS)[turn % 3], int(turn % 6 == 0)
            scale = SCALES[turn % 5]
            turn += 1
            message = ccsds_case(11, 9, bits, FIELDS[kind], flags, block, interval, bitmap, 0, scale)
            name = f"bits={bits} flags={flags} block={block} interval={interval}"
            yield "ccsds", f"{name} bitmap={bitmap} {kind}", message
    for bits, block, interval in ((1, 8, 128), (8, 8, 128), (12, 16, 100), (24, 8, 70)):
        # Zero blocks to the end of a segment, of an interval and of the field.
        message = ccsds_case(53, 41, bits, plateaus, PREPROCESS, block, interval)
        yield "ccsds", f"long bits={bits} block={block} interval={interval} plateaus", message
    for bits in (1, 5, 8, 11, 16, 20, 24):
        for bitmap in (0, 1):
            message = jpeg_case(11, 9, bits, bitmap, 0, SCALES[bits % 5])
            yield "images", f"jpeg2000 bits={bits} bitmap={bitmap}", message
    for bits in (8, 16):
        for bitmap, scan in ((0, 0), (0, 0x40), (0, 0x10), (0, 0x20)):
            section5, data = png(noise(99, bits), bits, 11, SCALES[bits % 5])
            yield "images", f"png bits={bits} scan={scan:#04x}", assemble(section5, data, 11, 9, scan)
    for precision in (1, 2):
        for bitmap in (0, 1, 2):
            mask = holes(7, 5, bitmap)
            section5, data = ieee(present(list(np.linspace(-1e5, 3e5, 35)), mask), precision)
            yield "simple", f"ieee precision={precision} bitmap={bitmap}", assemble(section5, data, 7, 5, 0, mask)


def full():
    for nx, ny in ((12, 8), (15, 9)):
        size = f"{nx}x{ny}"
        for bits in range(33):
            for bitmap in range(4):
                for scan in SCANS + OFFSETS:
                    for number, scale in enumerate(SCALES):
                        if (number + scan // 16 + bitmap) % 2 and nx == 15:
                            continue
                        name = f"{size} bits={bits} bitmap={bitmap} scan={scan:#04x} scale={number}"
                        yield "simple", name, simple_case(nx, ny, bits, bitmap, scan, scale)
    turn = 0
    for order in (0, 1, 2):
        for management in (0, 1, 2):
            for bits in range(33):
                for bitmap in range(4):
                    for structure in STRUCTURES:
                        turn += 1
                        nx, ny = ((12, 8), (15, 9))[turn % 2]
                        scan, number = (SCANS + OFFSETS)[turn % 22], turn % 5
                        message = complex_case(
                            nx, ny, bits, order, management, bitmap, scan, SCALES[number], structure
                        )
                        name = f"order={order} missing={management} bits={bits} bitmap={bitmap}"
                        name += f" {structure.__name__} scan={scan:#04x} scale={number}"
                        if message:
                            yield f"complex_{order}", name, message
            for scan in SCANS + OFFSETS:
                for bitmap in (0, 1):
                    for bits in (5, 13, 27):
                        message = complex_case(15, 9, bits, order, management, bitmap, scan, SCALES[1], uneven, wave)
                        name = f"wave order={order} missing={management} bits={bits} bitmap={bitmap}"
                        if message:
                            yield f"complex_{order}", f"{name} scan={scan:#04x}", message
    for bits in range(1, 33):
        for flags in ccsds_options(bits):
            for block in (8, 16, 32, 64):
                for interval in (1, 3, 16, 128, 4096):
                    for kind, field in FIELDS.items():
                        turn += 1
                        bitmap, scan = turn % 4, (SCANS + OFFSETS)[(turn // 4) % 22]
                        scale = SCALES[turn % 5]
                        message = ccsds_case(15, 9, bits, field, flags, block, interval, bitmap, scan, scale)
                        name = f"bits={bits} flags={flags} block={block} interval={interval} {kind}"
                        yield "ccsds", f"{name} bitmap={bitmap} scan={scan:#04x}", message
    for bits in range(1, 33):
        for bitmap in range(3):
            if bits <= 24:
                for scan in (0, 0x40, 0x90, 0x20):
                    message = jpeg_case(15, 9, bits, bitmap, scan, SCALES[bits % 5])
                    yield "images", f"jpeg2000 bits={bits} bitmap={bitmap} scan={scan:#04x}", message
    for bits in (8, 16):
        for scan in SCANS:
            section5, data = png(noise(15 * 9, bits), bits, 15, SCALES[scan // 16 % 5])
            yield "images", f"png bits={bits} scan={scan:#04x}", assemble(section5, data, 15, 9, scan)
    for precision in (1, 2):
        for bitmap in range(4):
            for scan in SCANS + OFFSETS:
                mask = holes(15, 9, bitmap)
                values = list(np.linspace(-1e5, 3e5, 135) ** 3)
                section5, data = ieee(present(values, mask), precision)
                yield "ieee", f"precision={precision} bitmap={bitmap} scan={scan:#04x}", assemble(
                    section5, data, 15, 9, scan, mask
                )


def large():
    nx, ny = 360, 181
    for bits in (1, 4, 7, 8, 10, 12, 13, 16, 17, 24, 25, 31, 32):
        for bitmap in (0, 1, 3):
            scan = (0, 0x10, 0x20, 0x50)[bits % 4]
            yield "large", f"simple bits={bits} bitmap={bitmap}", simple_case(nx, ny, bits, bitmap, scan, SCALES[1])
    for order in (0, 1, 2):
        for management in (0, 1, 2):
            for kind, field in FIELDS.items():
                for bits, structure in ((9, uneven), (14, fives), (26, widened), (12, one_group)):
                    message = complex_case(nx, ny, bits, order, management, 0, 0, SCALES[1], structure, field)
                    name = f"order={order} missing={management} bits={bits} {structure.__name__} {kind}"
                    if message:
                        yield "large", name, message
    for packing in ("grid_complex", "grid_complex_spatial_differencing"):
        for kind, field in FIELDS.items():
            for bits in (6, 12, 16, 20):
                message = packed(field(nx, ny, bits), packing, nx, ny, bitsPerValue=bits)
                yield "large", f"{packing} bits={bits} {kind}", message
    for kind, field in FIELDS.items():
        for bits in (1, 4, 8, 12, 16, 20, 24, 28, 32):
            for block, interval in ((8, 128), (16, 4096), (32, 128), (64, 5)):
                for flags in (PREPROCESS, PREPROCESS | PAD, 0):
                    message = ccsds_case(nx, ny, bits, field, flags, block, interval)
                    name = f"ccsds bits={bits} block={block} interval={interval} flags={flags} {kind}"
                    yield "large", name, message
    for bits in (8, 12, 16, 24):
        for bitmap in (0, 1):
            # ecCodes has no room for noise that comes out larger than it went in.
            message = jpeg_case(nx, ny, bits, bitmap, 0, SCALES[1], wave)
            yield "large", f"jpeg2000 bits={bits} bitmap={bitmap}", message
    for bits in (8, 16):
        section5, data = png(noise(nx * ny, bits), bits, nx, SCALES[1])
        yield "large", f"png bits={bits}", assemble(section5, data, nx, ny)
