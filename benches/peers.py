"""How long does a peer take for the same index files? Prints seconds as JSON.

Reads the .idx files of a folder laid out like the GEFS bucket with kerchunk, the tool of the
Grib-Index-Kerchunk workflow, as its pipelines do: one table a file. Nothing is written.
"""

import json
import pathlib
import sys
import time

from kerchunk._grib_idx import parse_grib_idx


def main(folder):
    files = sorted(str(file)[: -len(".idx")] for file in pathlib.Path(folder).rglob("*.idx"))
    parse_grib_idx(files[0], storage_options={})
    started = time.perf_counter()
    rows = sum(len(parse_grib_idx(file, storage_options={})) for file in files)
    print(json.dumps({"seconds": time.perf_counter() - started, "files": len(files), "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1])
