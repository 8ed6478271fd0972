"""Makes the messages that the codec's tests read, and what they decode to, with ecCodes.

    python generate.py FOLDER           what is committed as ../fixtures
    python generate.py --full FOLDER    the whole cross product
    python generate.py --real SOURCE FOLDER
                                        the fields of all GRIB files in SOURCE

`cargo xtask fixtures` runs this with the pinned packages. What ecCodes decodes is the
reference: for each NAME.grib2 the values of its fields are in NAME.f64, doubles in
little-endian order, NaN where a point is missing, in the order of the Zarr chunk (see
`reference.chunk`). A file of many messages has a table NAME.txt: offset and length of each
message, offset and number of its values, and what is special in it.
"""

import hashlib
import sys
from pathlib import Path

import eccodes as ec
import numpy as np

import edition1
import matrix
import named
import projections
import reference

COMMITTED = Path(__file__).resolve().parent.parent / "fixtures"
REAL = ["gefs_soilw", "gfs_constant", "gfswave_jpeg2000", "hrrr_constant", "s2s_ten_messages"]
MARK = "| file | sha256 |\n|---|---|\n"


class Tables:
    """Files of many messages."""

    def __init__(self, folder):
        self.folder, self.open, self.refused, self.own = folder, {}, {}, {}

    def add(self, file, name, message):
        """`message` may come with the values to expect instead of those by ecCodes."""
        if isinstance(message, tuple):
            self.add_values(file, name, *message)
            self.own[file] = self.own.get(file, 0) + 1
            return
        try:
            values = reference.decoded(message)
        except ec.GribInternalError as error:
            self.refused.setdefault((file, str(error)), []).append(name)
            return
        self.add_values(file, name, message, values)

    def add_values(self, file, name, message, values):
        values = reference.chunk(message, values)
        if file not in self.open:
            paths = [self.folder / f"{file}.{end}" for end in ("grib2", "f64")]
            self.open[file] = [*[path.open("wb") for path in paths], []]
        messages, expected, lines = self.open[file]
        line = f"{messages.tell()} {len(message)} {expected.tell() // 8} {values.size} {name}\n"
        lines.append(line)
        messages.write(message)
        expected.write(values.astype("<f8").tobytes())

    def close(self):
        for file, (messages, expected, lines) in self.open.items():
            messages.close()
            expected.close()
            (self.folder / f"{file}.txt").write_text("".join(lines))
            own = self.own.get(file, 0)
            print(f"{file}: {len(lines)} messages, {own} of them with values not by ecCodes")
        for (file, error), names in self.refused.items():
            print(f"{file}: {len(names)} left out, which ecCodes refuses ({error}); {names[0]}")


def digests(folder):
    lines = []
    for name in REAL:
        for number, (_, values) in enumerate(reference.fields(COMMITTED / f"{name}.grib2")):
            weights = np.arange(len(values), dtype="u8") * np.uint64(2) + np.uint64(1)
            digest = int((values.view("u8") * weights).sum(dtype="u8"))
            missing = int(np.isnan(values).sum())
            lines.append(f"{name} {number} {len(values)} {missing} {digest:016x}\n")
    (folder / "digests.txt").write_text("".join(lines))


def provenance(folder):
    """The list of generated files in PROVENANCE.md."""
    text = (COMMITTED / "PROVENANCE.md").read_text().split(MARK)[0] + MARK
    others = {f"{name}.grib2" for name in REAL} | {"PROVENANCE.md", "ecmwf_soil.grib1"}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        # What fuzzing found is listed above, by hand.
        if path.is_file() and name not in others and not name.startswith("found/"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            text += f"| `{name}` | `{digest}` |\n"
    (folder / "PROVENANCE.md").write_text(text)


def committed(folder):
    for name, message in named.messages():
        path = folder / f"{name}.grib2"
        path.write_bytes(message)
        if name in named.UNREAD:
            values = named.png_values(named.UNREAD[name])
        else:
            fields = [reference.chunk(*field) for field in reference.fields(path)]
            values = np.concatenate(fields)
        (folder / f"{name}.f64").write_bytes(values.astype("<f8").tobytes())
    digests(folder)
    (folder / "matrix").mkdir(exist_ok=True)
    tables = Tables(folder / "matrix")
    for case in matrix.small():
        tables.add(*case)
    tables.close()
    edition1.written(folder / "edition1")
    projections.written(folder / "projections")
    provenance(folder)


def full(folder):
    tables = Tables(folder)
    for cases in (matrix.full(), matrix.large()):
        for case in cases:
            tables.add(*case)
    tables.close()


def real(source, folder):
    """Each field as a message of its own. Edition 1 is not what the codec reads."""
    tables, skipped = Tables(folder), 0
    for path in sorted(source.rglob("*.grib*")):
        for number, (message, values) in enumerate(reference.fields(path)):
            if message[7] != 2:
                skipped += 1
                continue
            tables.add_values(path.stem, f"field {number}", message, values)
    tables.close()
    print(f"{skipped} messages of another edition left out")


def main():
    reference.check_places()
    folder = Path(sys.argv[-1])
    folder.mkdir(parents=True, exist_ok=True)
    match sys.argv[1:]:
        case ["--full", _]:
            full(folder)
        case ["--real", source, _]:
            real(Path(source), folder)
        case [_]:
            committed(folder)
        case _:
            sys.exit(__doc__)


main()
