"""From index files to a committed store through VirtualiZarr: gik's parser beside gribberish's.

Usage: parsers_peers.py FOLDER TABLE FILES ROUNDS

FOLDER is a generated GEFS run of indexes and sparse files, TABLE the model's variable table. Ours
parses and writes the whole run. GribberishParser reads the headers of messages as well, which the
sparse files lack: ecCodes writes true ones into FILES of them, and what a file took is multiplied
by the number of files. Its combining is measured on these files alone; over a whole run it takes
more a file. Prints a line of JSON for each round.
"""

import csv
import json
import pathlib
import shutil
import sys
import tempfile
import time

import eccodes
import gribberish.virtualizarr
import icechunk
import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_dataset, open_virtual_datatree

import gik

REGISTRY = ObjectStoreRegistry({"file://": LocalStore()})
STATISTICS = {"acc": 1, "ave": 0, "max": 2, "min": 3}
DATE, MEMBERS, HOURS = "20250106", 4, range(3, 25, 3)


def rows(table):
    """What the table says of each message: parameter and level."""
    with open(table) as file:
        lines = [line for line in file if not line.startswith("#")]
    return {(row["abbrev"], row["level"]): row for row in csv.DictReader(lines, delimiter="\t")}


def header(row, member, hour, window, length):
    """A message of a constant field on the 0.25° grid, which says that it is ``length`` bytes long."""
    handle = eccodes.codes_grib_new_from_samples("GRIB2")
    discipline, category, number = row["param"].split("-")
    keys = {
        "centre": "kwbc", "dataDate": int(DATE), "dataTime": 0,
        "productDefinitionTemplateNumber": 11 if window else 1,
        "Ni": 1440, "Nj": 721, "latitudeOfFirstGridPointInDegrees": 90, "longitudeOfFirstGridPointInDegrees": 0,
        "latitudeOfLastGridPointInDegrees": -90, "longitudeOfLastGridPointInDegrees": 359.75,
        "iDirectionIncrementInDegrees": 0.25, "jDirectionIncrementInDegrees": 0.25,
        "perturbationNumber": member, "numberOfForecastsInEnsemble": 30,
        "discipline": int(discipline), "parameterCategory": int(category), "parameterNumber": int(number),
        "typeOfLevel": row["typeOfLevel"],
    }  # fmt: skip
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    digits = row["level"].split(" ")[0].split("-")[0]
    if digits.isdigit() and row["typeOfLevel"].startswith("heightAboveGround"):
        eccodes.codes_set(handle, "level", int(digits))
    if window:
        eccodes.codes_set(handle, "typeOfStatisticalProcessing", STATISTICS[window[1]])
        eccodes.codes_set(handle, "stepRange", window[0])
    else:
        eccodes.codes_set(handle, "step", hour)
    message = bytearray(eccodes.codes_get_message(handle))
    eccodes.codes_release(handle)
    message[8:16] = length.to_bytes(8, "big")
    return message


def write_headers(path, table, member, hour):
    lines = [line.split(":") for line in path.with_name(path.name + ".idx").read_text().splitlines()]
    ends = [int(line[1]) for line in lines[1:]] + [path.stat().st_size]
    with open(path, "r+b") as file:
        for line, end in zip(lines, ends, strict=True):
            words = line[5].split(" ")
            window = (words[0], words[2]) if "-" in words[0] else None
            offset = int(line[1])
            file.seek(offset)
            file.write(header(table[line[3], line[4]], member, hour, window, end - offset))


def repository(folder, work):
    prefix = f"{folder.as_uri()}/"
    config = icechunk.RepositoryConfig.default()
    container = icechunk.VirtualChunkContainer(prefix, icechunk.local_filesystem_store(str(folder)))
    config.set_virtual_chunk_container(container)
    return icechunk.Repository.create(icechunk.local_filesystem_storage(work), config)


def combined(urls, parser):
    """GribberishParser's groups, one for each kind of level and of window, each over members and times."""
    groups = {}
    for row in urls:
        for url in row:
            for node in open_virtual_datatree(url, registry=REGISTRY, parser=parser).subtree:
                if node.data_vars:
                    member = groups.setdefault(node.path, {}).setdefault(url.rsplit("/", 1)[1][:5], [])
                    member.append(node.to_dataset())
    how = {"concat_dim": ["number", "time"], "coords": "minimal", "compat": "override", "combine_attrs": "override"}
    return xr.DataTree.from_dict(
        {path: xr.combine_nested(list(members.values()), **how) for path, members in groups.items()}
    )


def timed(steps):
    """Seconds of each step, by name."""
    seconds, value = {}, None
    for name, step in steps:
        started = time.perf_counter()
        value = step(value)
        seconds[name] = time.perf_counter() - started
    return seconds


def write(folder, dataset):
    with tempfile.TemporaryDirectory() as work:
        session = repository(folder, work).writable_session("main")
        dataset.vz.to_icechunk(session.store)
        session.commit("a run")


def main():
    folder, table = pathlib.Path(sys.argv[1]).resolve(), rows(sys.argv[2])
    count, rounds = int(sys.argv[3]), int(sys.argv[4])
    url = f"{folder.as_uri()}/gefs.{DATE}/00"
    place = folder / f"gefs.{DATE}/00/atmos/pgrb2sp25"
    total = sum(1 for _ in place.glob("*.idx"))
    members = range(1, 1 + max(1, count // len(HOURS)))
    names = [[f"gep{member:02}.t00z.pgrb2s.0p25.f{hour:03}" for hour in HOURS] for member in members]
    for member, row in zip(members, names, strict=True):
        for hour, name in zip(HOURS, row, strict=True):
            write_headers(place / name, table, member, hour)
    urls = [[(place / name).as_uri() for name in row] for row in names]
    flat = [it for row in urls for it in row]

    plain = gribberish.virtualizarr.GribberishParser(use_index=".idx")
    open_virtual_dataset(url, REGISTRY, gik.GEFSParser(steps=3))
    plain(flat[0], REGISTRY)
    for _ in range(rounds):
        ours = timed([
            ("parse", lambda _: open_virtual_dataset(url, REGISTRY, gik.GEFSParser())),
            ("write", lambda dataset: write(folder, dataset)),
        ])  # fmt: skip
        theirs = timed([
            ("parse", lambda _: [plain(it, REGISTRY) for it in flat] and None),
            ("parse and combine", lambda _: combined(urls, plain)),
            ("write", lambda dataset: write(folder, dataset)),
        ])  # fmt: skip
        print(json.dumps({"files": total, "measured": len(flat), "gik": ours, "GribberishParser": theirs}), flush=True)


if __name__ == "__main__":
    main()
