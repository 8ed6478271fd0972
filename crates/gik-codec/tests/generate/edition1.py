"""Messages of GRIB edition 1 in simple packing."""

import eccodes as ec
import numpy as np

COLUMNS, ROWS = 9, 7
MISSING = 1e20


def field():
    points = np.arange(COLUMNS * ROWS)
    return 271.0 + 30 * np.sin(points / 5.0) + (points * 37 % 11) / 7


def message(values, bits, decimal=None, mask=None, sample="regular_ll_sfc_grib1"):
    handle = ec.codes_grib_new_from_samples(sample)
    ec.codes_set(handle, "Ni", COLUMNS)
    ec.codes_set(handle, "Nj", ROWS)
    if mask is not None:
        ec.codes_set(handle, "bitmapPresent", 1)
        ec.codes_set(handle, "missingValue", MISSING)
        values = np.where(mask, MISSING, values)
    if decimal is not None:
        ec.codes_set(handle, "decimalPrecision", decimal)
    if bits:
        ec.codes_set(handle, "bitsPerValue", bits)
    ec.codes_set_values(handle, values)
    octets = ec.codes_get_message(handle)
    ec.codes_release(handle)
    return octets


def values_of(octets):
    handle = ec.codes_new_from_message(octets)
    ec.codes_set(handle, "missingValue", MISSING)
    values = ec.codes_get_values(handle)
    ec.codes_release(handle)
    return np.where(values == MISSING, np.nan, values)


def cases():
    """Names, messages and values in the order of the chunk."""
    holes = np.arange(COLUMNS * ROWS) * 7 % 11 < 3
    plain = [(f"bits={bits}", message(field(), bits)) for bits in (1, 7, 8, 12, 16, 24, 31)]
    plain += [(f"decimal={decimal}", message(field(), None, decimal)) for decimal in (-1, 1, 3)]
    plain += [
        ("negative", message(-field(), 16)),
        ("bitmap", message(field(), 12, mask=holes)),
        ("bitmap decimal=2", message(field(), None, 2, holes)),
        ("constant", message(np.full(COLUMNS * ROWS, 273.15), None)),
        ("constant decimal=2", message(np.full(COLUMNS * ROWS, 273.15), None, 2)),
    ]
    for name, octets in plain:
        yield name, octets, values_of(octets)
    # Points of a column consecutive: the same octets, read by column.
    name, octets = plain[3]
    by_column = bytearray(octets)
    by_column[8 + int.from_bytes(octets[8:11], "big") + 27] |= 0x20
    values = values_of(octets).reshape(COLUMNS, ROWS).T.ravel()
    yield f"{name} by column", bytes(by_column), values


def written(folder):
    folder.mkdir(exist_ok=True)
    with (
        (folder / "edition1.grib1").open("wb") as messages,
        (folder / "edition1.f64").open("wb") as expected,
        (folder / "edition1.txt").open("w") as table,
    ):
        for name, octets, values in cases():
            table.write(f"{messages.tell()} {len(octets)} {name}\n")
            messages.write(octets)
            expected.write(values.astype("<f8").tobytes())
