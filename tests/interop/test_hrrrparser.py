"""Stores as the Python package HRRRParser writes them, written with stock icechunk, read by the command."""

import json
import shutil

import eccodes
import icechunk
import numpy as np
import pandas as pd
import pytest

from conftest import FIXTURES, gik, messages

SUBHOURLY = FIXTURES / "hrrr.wrfsubhf.sample.grib2"
ROWS, COLUMNS = 1059, 1799


def metadata(var, data_type, shape, chunk, dimensions, steps=1):
    """A zarr.json with the codec's `var` and `steps`; times are numpy's, their fill value NaT."""
    is_time = isinstance(data_type, dict)
    return {
        "shape": shape,
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": -(2**63) if is_time else 0.0,
        "codecs": [{"name": "hrrr_gribberish", "configuration": {"var": var, "steps": steps}}],
        "attributes": {},
        "dimension_names": dimensions,
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def seconds(name):
    return {"name": name, "configuration": {"unit": "s", "scale_factor": 1}}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Its first message as `refc_entire_atm`, and the coordinates that HRRRParser takes from it."""
    folder = tmp_path_factory.mktemp("hrrrparser")
    data = folder / "data/hrrr.t01z.wrfsubhf01.grib2"
    data.parent.mkdir()
    shutil.copy(SUBHOURLY, data)
    with open(data, "rb") as file:
        handle = eccodes.codes_grib_new_from_file(file)
        length = eccodes.codes_get(handle, "totalLength")
        eccodes.codes_release(handle)
    prefix = f"file://{data.parent}/"
    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(
        icechunk.VirtualChunkContainer(prefix, icechunk.local_filesystem_store(str(data.parent)))
    )
    repository = icechunk.Repository.create(icechunk.local_filesystem_storage(str(folder / "store")), config=config)
    session = repository.writable_session("main")
    files = {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": {}}}
    whole = [ROWS, COLUMNS]
    arrays = {
        "time": metadata("time", seconds("numpy.datetime64"), [1], [1], ["time"]),
        "step": metadata("step", seconds("numpy.timedelta64"), [1], [1], ["step"]),
        "entire_atm": metadata("entire_atm", "float64", [1], [1], ["entire_atm"]),
        "latitude": metadata("latitude", "float64", whole, whole, ["y", "x"]),
        "longitude": metadata("longitude", "float64", whole, whole, ["y", "x"]),
        "refc_entire_atm": metadata(
            "refc_entire_atm", "float64", [1, 1, 1, *whole], [1, 1, 1, *whole], ["time", "step", "entire_atm", "y", "x"]
        ),
    }

    async def write():
        from zarr.core.buffer import default_buffer_prototype

        buffer = default_buffer_prototype().buffer
        for name, value in {**files, **{f"{name}/zarr.json": it for name, it in arrays.items()}}.items():
            await session.store.set(name, buffer.from_bytes(json.dumps(value).encode()))

    import asyncio

    asyncio.run(write())
    url = f"{prefix}{data.name}"
    for name, it in arrays.items():
        key = f"{name}/c/" + "/".join("0" for _ in it["shape"])
        session.store.set_virtual_ref(key, url, offset=0, length=length, validate_container=True)
    session.commit("as HRRRParser writes it")
    return folder


def read(folder, tmp_path, name, *arguments):
    out = tmp_path / f"{name}.npy"
    gik("read", folder / "store", name, "-o", out, "--allow", folder / "data", *arguments)
    return np.load(out)


def test_fields_and_coordinates_are_those_of_eccodes(store, tmp_path):
    _, values = next(messages(SUBHOURLY))
    found = read(store, tmp_path, "refc_entire_atm")
    assert found.shape == (1, 1, 1, ROWS, COLUMNS)
    np.testing.assert_array_equal(found[0, 0, 0], values.astype(np.float32))
    with open(SUBHOURLY, "rb") as file:
        handle = eccodes.codes_grib_new_from_file(file)
        latitudes = eccodes.codes_get_array(handle, "latitudes").reshape(ROWS, COLUMNS)
        longitudes = eccodes.codes_get_array(handle, "longitudes").reshape(ROWS, COLUMNS)
        eccodes.codes_release(handle)
    for name, expected in ("latitude", latitudes), ("longitude", (longitudes + 180) % 360 - 180):
        table = tmp_path / f"{name}.csv"
        gik("read", store / "store", name, "-o", table, "--allow", store / "data")
        labels = pd.read_csv(table)[name].to_numpy().reshape(ROWS, COLUMNS)
        assert np.abs(labels - expected).max() < 1e-6, name


def test_times_are_labels(store, tmp_path):
    # 2022-10-14 01 UTC and 15 minutes, by ecCodes.
    read(store, tmp_path, "refc_entire_atm", "--sel", "time=2022-10-14T01", "--sel", "step=15")
    assert gik("read", store / "store", "time", "--allow", store / "data").split() == ["2022-10-14T01:00:00Z"]
    assert gik("read", store / "store", "step", "--allow", store / "data").split() == ["15"]


def test_a_region_is_cut_by_its_coordinates(store, tmp_path):
    found = read(store, tmp_path, "refc_entire_atm", "--bbox", "-98,38,-97,39")
    assert 0 < found.shape[-1] < 60 and 0 < found.shape[-2] < 60
