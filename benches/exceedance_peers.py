"""The exceedance job with stock Python: xarray, dask with threads, icechunk, gribberish.

Usage: exceedance_peers.py STORE PREFIX MODEL W,S,E,N OUT.npy

STORE is a path; PREFIX is the place of its references, file:// or http://. Reads what a
day's rain needs of every member, adds it up, counts, writes the probabilities (day, threshold,
latitude, longitude) and prints a line of JSON: seconds, peak memory.
"""

import json
import resource
import sys
import time

import dask
import icechunk
import numpy as np
import xarray as xr

THRESHOLDS = [5, 25, 50, 75, 100, 125]


def open_store(store, prefix):
    access = icechunk.credentials
    allowed = access.HttpAccess if prefix.startswith("http") else access.LocalFileSystemAccess
    repo = icechunk.Repository.open(
        icechunk.local_filesystem_storage(store), authorize_virtual_chunk_access={prefix: allowed}
    )
    return repo.readonly_session("main").store


def days(ds, model):
    """Totals of whole days in millimetres, (member, day, latitude, longitude)."""
    hours = ds.step.values.astype("timedelta64[h]").astype(int)
    last = hours.max() // 24
    rain = ds.tp.isel(time=-1)
    at = lambda lead: rain.sel(step=np.timedelta64(lead, "h"))
    if model == "gefs":
        parts = [sum(at(24 * d + h) for h in (6, 12, 18, 24)) for d in range(last)]
    else:
        totals = [at(24 * d) for d in range(last + 1)]
        parts = [(b - a) * 1000 for a, b in zip(totals, totals[1:])]
    return xr.concat(parts, dim="day").clip(min=0)


def main():
    store, prefix, model, box, out = sys.argv[1:]
    west, south, east, north = map(float, box.split(","))
    started = time.perf_counter()
    ds = xr.open_zarr(open_store(store, prefix), consolidated=False, chunks={})
    ds = ds.sel(latitude=slice(north, south), longitude=slice(west, east))
    rain = days(ds, model)
    probability = xr.concat(
        [(rain >= threshold).mean("member") * 100 for threshold in THRESHOLDS], dim="threshold"
    ).transpose("day", "threshold", "latitude", "longitude")
    with dask.config.set(scheduler="threads"):
        values = probability.astype("float32").compute().values
    seconds = time.perf_counter() - started
    np.save(out, values)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "shape": values.shape}))


if __name__ == "__main__":
    main()
