"""A script as people write it, for the type checker."""

import datetime

import numpy as np
import xarray as xr

import gik


def rain(folder: str) -> xr.Dataset:
    report = gik.build("gefs", datetime.datetime(2025, 1, 6), folder, members=range(31), steps="0-240", variables=["tp"])
    if not report["complete"]:
        print(report["diagnostics"])
    gik.update("gefs", folder, watch=True, deadline=datetime.timedelta(hours=10), progress=lambda done, total: None)
    with gik.use_codec():
        dataset: xr.Dataset = gik.open(folder, chunks={"member": 1, "step": 10})
    day = dataset["tp"].sel(step=[np.timedelta64(hours, "h") for hours in (6, 12, 18, 24)]).sum("step")
    print(float(day.max()))
    try:
        return gik.exceedance(folder, bbox=(21, -12, 53, 23), thresholds=[5, 25], sel={"member": slice(1, 30)})
    except gik.NotFoundError as error:
        print(error.url, error.offset)
        raise
