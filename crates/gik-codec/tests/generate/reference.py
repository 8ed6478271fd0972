"""What ecCodes decodes, and where a Zarr chunk holds it."""

import struct

import eccodes as ec
import numpy as np

MISSING = 1e30


def values_of(handle):
    """All values in the message's order, NaN where a point is missing."""
    ec.codes_set(handle, "missingValue", MISSING)
    values = ec.codes_get_values(handle)
    return np.where(values == MISSING, np.nan, values)


def fields(path):
    """The fields of a file, each as a message of its own, and its values."""
    ec.codes_grib_multi_support_on()
    with open(path, "rb") as file:
        while (handle := ec.codes_grib_new_from_file(file)) is not None:
            yield ec.codes_get_message(handle), values_of(handle)
            ec.codes_release(handle)


def decoded(message):
    handle = ec.codes_new_from_message(message)
    try:
        return values_of(handle)
    finally:
        ec.codes_release(handle)


# The octet of section 3 that holds the scanning mode, by grid definition template.
SCAN_OCTETS = {0: 72, 1: 72, 10: 60, 20: 65, 30: 65, 40: 72}


def scan_of(message):
    """Columns, rows and the scanning mode, or None for a grid without rows and columns."""
    position = 16
    while message[position + 4] != 3:
        position += int.from_bytes(message[position : position + 4], "big")
    template = struct.unpack_from(">H", message, position + 12)[0]
    if template not in SCAN_OCTETS:
        return None
    columns, rows = struct.unpack_from(">II", message, position + 30)
    if 0xFFFFFFFF in (columns, rows):
        return None
    return columns, rows, message[position + SCAN_OCTETS[template] - 1]


def chunk(message, values):
    """The values in C order, rows and columns following each other as the message's
    coordinates do.

    ecCodes leaves `values` in the message's order, whatever the scanning mode. A message
    is made of lines: of rows or, with 0x20, of columns. With 0x10 every other line runs
    backwards. Rows of different lengths (0x01) have no place in a rectangle and stay.
    """
    shape = scan_of(message)
    if shape is None or shape[2] & 0x01:
        return values
    columns, rows, scan = shape
    lines = values.reshape((columns, rows) if scan & 0x20 else (rows, columns)).copy()
    if scan & 0x10:
        lines[1::2] = lines[1::2, ::-1]
    return (lines.T if scan & 0x20 else lines).ravel()


def check_places():
    """Holds `chunk` against the iterators of ecCodes, which give each point with its
    latitude and longitude."""
    from messages import assemble, simple

    columns, rows = 7, 5
    for scan in range(0, 256, 16):
        if scan & 0x10:
            # This iterator takes 0x10 for 0; that of projected grids is held against below.
            continue
        section5, data = simple(range(columns * rows), 6, (0.0, 0, 0))
        message = assemble(section5, data, columns, rows, scan)
        handle = ec.codes_new_from_message(message)
        points = {(p["lat"], p["lon"]): p["value"] for p in ec.codes_grib_get_data(handle)}
        latitudes = sorted({latitude for latitude, _ in points}, reverse=not scan & 0x40)
        longitudes = sorted({longitude for _, longitude in points}, reverse=bool(scan & 0x80))
        ours = chunk(message, decoded(message)).reshape(rows, columns)
        for j, latitude in enumerate(latitudes):
            for i, longitude in enumerate(longitudes):
                assert ours[j, i] == points[latitude, longitude], (hex(scan), j, i)
        ec.codes_release(handle)
    for scan in range(0, 256, 16):
        # With both bits that iterator turns back rows, not the lines that alternate.
        if scan & 0x30 == 0x30:
            continue
        message = projected(columns, rows, scan)
        handle = ec.codes_new_from_message(message)
        points = np.array([p["value"] for p in ec.codes_grib_get_data(handle)])
        points = points.reshape(rows, columns)
        # The iterator goes east and north.
        points = points[:: 1 if scan & 0x40 else -1, :: -1 if scan & 0x80 else 1]
        assert (chunk(message, decoded(message)) == points.ravel()).all(), hex(scan)
        ec.codes_release(handle)


def projected(columns, rows, scan):
    """A Lambert grid whose values count the points."""
    handle = ec.codes_grib_new_from_samples("GRIB2")
    ec.codes_set(handle, "gridType", "lambert")
    for key, value in {
        "Nx": columns,
        "Ny": rows,
        "shapeOfTheEarth": 6,
        "latitudeOfFirstGridPoint": 30_000_000,
        "longitudeOfFirstGridPoint": 250_000_000,
        "LaD": 40_000_000,
        "LoV": 260_000_000,
        "Dx": 100_000_000,
        "Dy": 100_000_000,
        "Latin1": 40_000_000,
        "Latin2": 40_000_000,
    }.items():
        ec.codes_set(handle, key, value)
    ec.codes_set_values(handle, np.arange(float(columns * rows)))
    message = bytearray(ec.codes_get_message(handle))
    ec.codes_release(handle)
    position = 16
    while message[position + 4] != 3:
        position += int.from_bytes(message[position : position + 4], "big")
    message[position + 64] = scan
    return bytes(message)
