"""Compares this project's decoder with ecCodes, value by value and bit by bit.

    python compare.py DECODER FOLDER...

DECODER is the example `decode_values`; a folder holds what generate.py wrote. Double
precision must be equal, single precision be equal to that rounded, NaN where NaN is.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

SHOWN = 3


def decode(decoder, precision, path):
    """For each message its values, or an error's text."""
    out = subprocess.run([decoder, precision, path], stdout=subprocess.PIPE, check=True).stdout
    kind, at = np.dtype({"f32": "<f4", "f64": "<f8"}[precision]), 0
    while at < len(out):
        count = int.from_bytes(out[at : at + 8], "little", signed=True)
        at += 8
        if count < 0:
            length = int.from_bytes(out[at : at + 8], "little")
            yield out[at + 8 : at + 8 + length].decode()
            at += 8 + length
        else:
            yield np.frombuffer(out, kind, count, at)
            at += count * kind.itemsize


def difference(found, expected):
    """What differs first, or None."""
    if isinstance(found, str):
        return found
    if found.shape != expected.shape:
        return f"{found.size} values, not {expected.size}"
    bits = {4: "u4", 8: "u8"}[found.itemsize]
    same = (found.view(bits) == expected.view(bits)) | (np.isnan(found) & np.isnan(expected))
    if same.all():
        return None
    point = int(np.argmin(same))
    count = int((~same).sum())
    return f"point {point} is {found[point]!r}, not {expected[point]!r}; {count} of {same.size} differ"


def main():
    decoder, counts, shown = sys.argv[1], Counter(), Counter()
    for table in sorted(path for folder in sys.argv[2:] for path in Path(folder).glob("*.txt")):
        lines = [line.split(" ", 4) for line in table.read_text().splitlines()]
        values = np.fromfile(table.with_suffix(".f64"), "<f8")
        for precision in ("f64", "f32"):
            answers = list(decode(decoder, precision, table.with_suffix(".grib2")))
            if len(answers) != len(lines):
                sys.exit(f"{table.stem}: {len(answers)} messages decoded, {len(lines)} are there")
            for (_, _, start, count, name), found in zip(lines, answers):
                expected = values[int(start) : int(start) + int(count)]
                if precision == "f32":
                    with np.errstate(over="ignore", under="ignore"):
                        expected = expected.astype("<f4")
                what = difference(found, expected)
                counts[table, precision, what is None] += 1
                counts["values"] += expected.size
                if what is not None:
                    # A few of each kind, so that many of one do not hide another.
                    kind = table, precision, re.sub(r"\W|[\d_]", "", what)[:40]
                    shown[kind] += 1
                    if shown[kind] <= SHOWN:
                        print(f"DIFFERS {table.stem} {precision} [{name}]: {what}")
        good, bad = ([counts[table, p, same] for p in ("f64", "f32")] for same in (True, False))
        print(f"{table.stem}: equal {good[0]} (f64) {good[1]} (f32), different {bad[0]} {bad[1]}")
    different = sum(shown.values())
    messages = sum(count for key, count in counts.items() if key != "values")
    print(f"{messages} decodes, {counts['values']} values compared, {different} decodes differ")
    sys.exit(1 if different or not messages else 0)


main()
