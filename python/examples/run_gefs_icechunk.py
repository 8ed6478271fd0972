"""A run of GEFS as a virtual store, and the rain of its first day over East Africa.

    python run_gefs_icechunk.py                      the bundled run: small, synthetic, no network
    python run_gefs_icechunk.py --source bucket      NOAA's public bucket: 31 members, no credentials
    python run_gefs_icechunk.py --source /data/gefs  a mirror with the bucket's layout
"""

import argparse
import pathlib
import tempfile

from demo import demo_run

import gik


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="'bucket', or a mirror: a path, s3:// or https://")
    parser.add_argument("--run", default="2025-01-06T00", help="the initialisation time in UTC")
    parser.add_argument("--store", default="gefs-example", help="where to write: a path or s3://")
    options = parser.parse_args(arguments)
    if options.source is not None:
        source = None if options.source == "bucket" else options.source
        rain_of_the_day(options.run, options.store, source, members=None)
        return
    with tempfile.TemporaryDirectory() as folder:
        mirror = demo_run("gefs", pathlib.Path(folder))
        rain_of_the_day(options.run, options.store, mirror, members="0-4")


def rain_of_the_day(run: str, store: str, source: gik.arguments.Place | None, members: str | None) -> None:
    # Indexes only: no GRIB data is read, none is copied.
    report = gik.build(
        "gefs", run, store, source=source, members=members, steps="0-24", variables=["tp", "t2m"]
    )
    seconds = report["seconds"]["total"]
    print(f"{report['references']['written']} references to {store} in {seconds:.2f} s")
    if not report["complete"]:
        print("missing:", report["problems"])

    # Any other Zarr reader opens the store as well; see the README.
    dataset = gik.open(store, allow=[] if source is None else [source])
    print(dataset)

    # GEFS counts rain in buckets that start anew every 6 hours: a day is the sum of four of them.
    region = dataset.sel(latitude=slice(23, -12), longitude=slice(21, 53)).isel(time=-1)
    day = region.tp.sel(step=["6h", "12h", "18h", "24h"]).sum("step", skipna=False).load()
    wettest = day.mean("member").max()
    print(f"wettest point of the mean: {float(wettest):.1f} mm; of any member: {float(day.max()):.1f} mm")


if __name__ == "__main__":
    main()
