"""Generated runs, and what ecCodes says about their messages."""

import os
import pathlib
import subprocess

import eccodes
import numpy as np

GENERATORS = {
    "gefs": (os.environ["GIK_GENERATE"], ["--date", "20250106", "--hour", "0"]),
    "ecmwf": (os.environ["GIK_GENERATE_ECMWF"], ["--run", "2026-02-05T00"]),
    "hrrr": (os.environ["GIK_GENERATE_HRRR"], ["--date", "20250801", "--hour", "0"]),
}
FOLDERS = {"gefs": "gefs.20250106/00/", "ecmwf": "20260205/00z/", "hrrr": "hrrr.20250801/conus/"}
RUNS = {"gefs": "2025-01-06T00", "ecmwf": "2026-02-05T00", "hrrr": "2025-08-01T00"}


def generate(model: str, folder: pathlib.Path, *arguments: str) -> pathlib.Path:
    """A run below ``folder``, as it lies in the model's bucket."""
    program, which = GENERATORS[model]
    subprocess.run([program, folder, *which, *arguments], check=True, timeout=300, stdout=subprocess.DEVNULL)
    return folder


def messages(path: pathlib.Path):
    """Each message of a GRIB file: its keys, and its values with longitudes from -180."""
    with open(path, "rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            names = ("shortName", "cfVarName", "typeOfLevel", "level", "endStep", "totalLength")
            keys = {name: eccodes.codes_get(handle, name) for name in names}
            keys["offset"] = eccodes.codes_get(handle, "offset", int)
            if eccodes.codes_is_defined(handle, "perturbationNumber"):
                keys["member"] = eccodes.codes_get(handle, "perturbationNumber")
            eccodes.codes_set(handle, "missingValue", 9.969e36)
            values = eccodes.codes_get_values(handle)
            if eccodes.codes_get(handle, "bitmapPresent"):
                values[values == 9.969e36] = np.nan
            values = values.reshape(eccodes.codes_get(handle, "Ny"), eccodes.codes_get(handle, "Nx"))
            if eccodes.codes_get(handle, "longitudeOfFirstGridPointInDegrees") == 0:
                values = np.roll(values, values.shape[1] // 2, axis=1)
            yield keys, values.astype(np.float32)
            eccodes.codes_release(handle)
