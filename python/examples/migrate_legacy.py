"""From the parquet files of Grib-Index-Kerchunk to a store: one open for all members and variables.

    python migrate_legacy.py                                   two members of an old run, bundled
    python migrate_legacy.py 'run_par_gefs/*.parquet' --store s3://bucket/gefs

The old files hold a dictionary of references for each member, which people read into an fsspec mapper,
group by group. `gik import` (the command, on the path or named by the variable GIK) puts the same
references where a freshly built store has them, corrects what the files say wrongly, and tells so.
"""

import argparse
import json
import os
import pathlib
import subprocess

import gik

BUNDLED = pathlib.Path(__file__).resolve().parents[2] / "crates/gik-legacy/fixtures/gefs"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="files, folders or patterns")
    parser.add_argument("--store", default="migrated", help="where to write: a path or s3://")
    options = parser.parse_args(arguments)
    files = options.files or sorted(map(str, BUNDLED.glob("gep0?_20250106_00z.parquet")))

    command = [os.environ.get("GIK", "gik"), "import", *files, "--store", options.store, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    # 3: done, but something is missing.
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    report = json.loads(done.stdout)
    print(f"{report['references']['written']} references to {options.store}")

    # What was a loop over members, groups and chunk lists is a selection by label.
    dataset = gik.open(options.store)
    print(dataset)
    rain = dataset.tp.isel(time=-1)
    print("steps of rain:", [int(step) for step in rain.step.values.astype("timedelta64[h]").astype(int)])
    # rain.sel(member=1, step="24h", latitude=slice(23, -12), longitude=slice(21, 53)).load() fetches one message.


if __name__ == "__main__":
    main()
