"""Draws what appending costs while a store grows.

    cargo run --release -p gik --example grow_store -- DIR 400 > growth.csv
    python3 benches/plot_growth.py growth.csv > docs/growth.svg
"""

import csv
import statistics
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 300, 70, 70, 40, 46


def line(points, colour):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.8" points="{path}"/>'


def label(x, y, text, anchor="middle", colour="#1c1e22", size=12):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}" font-family="sans-serif">{text}</text>'
    )


def main(path):
    with open(path, encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    runs = [row["run"] for row in rows]
    # A noisy machine: the median of eleven appends around each.
    seconds = [row["processor_seconds"] for row in rows]
    smooth = [statistics.median(seconds[max(0, at - 5) : at + 6]) for at in range(len(rows))]
    # It goes up and down with the number of runs in the last manifest: the most of five.
    peaks = [row["peak_bytes"] / 1e6 for row in rows]
    memory = [max(peaks[max(0, at - 4) : at + 1]) for at in range(len(peaks))]
    series = [("seconds of the processor (left)", smooth, "#b2182b"), ("peak memory of its process, MB (right)", memory, "#2166ac")]
    tops = [max(smooth) * 1.25, max(memory) * 1.25]
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        label(LEFT, 22, "Appending full GEFS runs of 95,046 references", "start", size=15),
    ]
    for part in range(5):
        y = TOP + height * (1 - part / 4)
        out.append(f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y}" y2="{y}" stroke="#d8dade"/>')
        out.append(label(LEFT - 8, y + 4, f"{tops[0] * part / 4:.2f}", "end", series[0][2]))
        out.append(label(LEFT + width + 8, y + 4, f"{tops[1] * part / 4:.0f}", "start", series[1][2]))
    for part in range(5):
        x = LEFT + width * part / 4
        number = runs[0] + (runs[-1] - runs[0]) * part / 4
        out.append(label(x, TOP + height + 18, f"{number:.0f}"))
    out.append(label(LEFT + width / 2, HEIGHT - 8, "runs in the store"))
    for (name, values, colour), top, anchor, x in zip(series, tops, ("start", "end"), (LEFT + 8, LEFT + width - 8)):
        points = [
            (LEFT + width * at / max(1, len(values) - 1), TOP + height * (1 - value / top))
            for at, value in enumerate(values)
        ]
        out.append(line(points, colour))
        out.append(label(x, TOP + 14, name, anchor, colour))
    out.append("</svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main(sys.argv[1])
