"""A small GEFS run, its store, and what ecCodes says about its messages."""

import json
import os
import pathlib
import subprocess

import eccodes
import icechunk
import numpy as np
import pytest
import xarray as xr

GIK = os.environ["GIK"]
GENERATE = os.environ["GIK_GENERATE"]
FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def gik(*arguments, code=0):
    """Runs the command; its standard output."""
    process = subprocess.run([GIK, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert process.returncode == code, f"exit {process.returncode}\n{process.stdout}\n{process.stderr}"
    return process.stdout


def build(folder, store, *arguments, code=0, run="2025-01-06T00", model="gefs"):
    """Builds a store; the report."""
    text = gik("build", model, "--run", run, "--source", folder, "--store", store, "--json", *arguments, code=code)
    return json.loads(text)


def open_store(store, folder):
    """The store as an analyst opens it, with stock packages."""
    prefix = f"file://{folder}/"
    repository = icechunk.Repository.open(
        icechunk.local_filesystem_storage(str(store)),
        authorize_virtual_chunk_access={prefix: icechunk.credentials.LocalFileSystemAccess},
    )
    return xr.open_zarr(repository.readonly_session("main").store, consolidated=False)


def messages(path):
    """Each message of a GRIB file: its keys, and its values on the grid with NaN where it says missing."""
    with open(path, "rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            eccodes.codes_set(handle, "missingValue", 9.969e36)
            values = eccodes.codes_get_values(handle)
            if eccodes.codes_get(handle, "bitmapPresent"):
                values[values == 9.969e36] = np.nan
            keys = {
                key: eccodes.codes_get(handle, key)
                for key in ("cfVarName", "paramId", "units", "name", "typeOfLevel", "stepType", "endStep")
            }
            shape = eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni")
            yield keys, values.reshape(shape)
            eccodes.codes_release(handle)


def turned(values):
    """The same field with longitudes from -180."""
    return np.roll(values, values.shape[1] // 2, axis=1)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run as on the bucket: three members, 0 to 24 h, rain and temperature."""
    folder = tmp_path_factory.mktemp("gefs") / "with space"
    arguments = ["--date", "20250106", "--hour", "0", "--product", "s", "--members", "0-2", "--steps", "0-24"]
    subprocess.run([GENERATE, folder, *arguments, "--messages", "tp,t2m"], check=True, timeout=300)
    return folder


SUBSET = ("--members", "0-2", "--steps", "0-24", "--variables", "tp,t2m")


@pytest.fixture(scope="session")
def store(run, tmp_path_factory):
    store = tmp_path_factory.mktemp("stores") / "forecast"
    report = build(run, store, *SUBSET)
    assert report["complete"] and (report["references"]["expected"], report["references"]["written"]) == (51, 51)
    return store


@pytest.fixture(scope="session")
def dataset(store, run):
    return open_store(store, run)
