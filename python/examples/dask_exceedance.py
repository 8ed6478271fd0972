"""How probable more than 50 mm of rain in 24 hours are, computed by the processes of a Dask cluster.

    python dask_exceedance.py STORE [--allow PLACE] [--threshold 50] [--workers 4]

`gik.exceedance` does this in one process and a fraction of the time; a cluster is for what it does not
know. Workers need this package installed, no more: they find its codec by themselves.
"""

import argparse

import xarray as xr
from distributed import Client, LocalCluster

import gik


def exceedance(dataset: xr.Dataset, threshold: float) -> xr.DataArray:
    """Per cent of the members whose rain of the first day of the newest run is more than ``threshold`` mm."""
    tp = dataset.tp.isel(time=-1)
    # Of GEFS: buckets that start anew every 6 hours.
    precip_24h = tp.sel(step=["6h", "12h", "18h", "24h"]).sum("step", skipna=False)
    exceedance_prob = (precip_24h > threshold).mean("member") * 100
    return exceedance_prob


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--allow", action="append", default=[], help="a place that references may be read from")
    parser.add_argument("--threshold", type=float, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--output", help="a NetCDF file")
    options = parser.parse_args(arguments)
    with (
        LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        # A task reads up to ten steps of one member.
        dataset = gik.open(options.store, allow=options.allow, chunks={"member": 1, "step": 10})
        region = dataset.sel(latitude=slice(23, -12), longitude=slice(21, 53))
        probability = exceedance(region, options.threshold).compute()
    print(f"{options.workers} processes; at most {float(probability.max()):.0f} %")
    if options.output:
        probability.to_netcdf(options.output)


if __name__ == "__main__":
    main()
