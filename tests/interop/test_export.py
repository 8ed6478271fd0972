"""Exports read by stock packages: fsspec and xarray, VirtualiZarr, and pandas as the legacy scripts do."""

import base64
import json
import os
import re
import subprocess

import eccodes
import fsspec
import kerchunk.codecs
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr.parsers import KerchunkJSONParser, KerchunkParquetParser
from zarr.abc.codec import ArrayBytesCodec
from zarr.storage import FsspecStore

from conftest import build, gik, messages
from test_gefs import file_of

GENERATE_ECMWF = os.environ["GIK_GENERATE_ECMWF"]
GENERATE_HRRR = os.environ["GIK_GENERATE_HRRR"]


def opened(references):
    """The dataset behind kerchunk's JSON or parquet, with kerchunk's own codec of messages."""
    filesystem = fsspec.filesystem("reference", fo=str(references), remote_protocol="file", asynchronous=True)
    return xr.open_zarr(FsspecStore(filesystem), consolidated=False, zarr_format=2)


@pytest.fixture(scope="session")
def exports(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    gik("export", store, "--format", "kerchunk-json", "-o", folder / "gefs.json")
    gik("export", store, "--format", "kerchunk-parquet", "--record-size", 7, "-o", folder / "gefs.parq")
    gik("export", store, "--format", "parquet", "-o", folder / "members")
    return folder


@pytest.mark.parametrize("name", ["gefs.json", "gefs.parq"])
def test_fsspec_and_xarray_open_what_is_exported(exports, dataset, run, name):
    ds = opened(exports / name)
    assert dict(ds.sizes) == dict(dataset.sizes)
    for coordinate in ("time", "step", "valid_time", "member", "latitude"):
        np.testing.assert_array_equal(ds[coordinate].values, dataset[coordinate].values)
    # Kerchunk's codec does not turn fields: longitudes are those of the messages.
    np.testing.assert_array_equal(ds.longitude.values, np.arange(1440) * 0.25)
    assert ds.tp.attrs["units"] == "kg m-2" and ds.tp.attrs["GRIB_paramId"] == dataset.tp.attrs["GRIB_paramId"]
    for member, step in [(0, 0), (2, 24)]:
        for keys, values in messages(file_of(run, member, step)):
            ours = ds[keys["cfVarName"]].sel(member=member, step=f"{step}h").isel(time=0)
            np.testing.assert_array_equal(ours.values, values.astype(np.float32))
    assert np.isnan(ds.tp.isel(step=0, member=0)).all()
    # By label, both are the same field.
    point = dict(member=1, step="12h", latitude=-1.25)
    there = float(ds.t2m.sel(longitude=36.75, **point).item())
    assert there == float(dataset.t2m.sel(longitude=36.75, **point).item())
    west = float(ds.t2m.sel(longitude=360 - 75.5, **point).item())
    assert west == float(dataset.t2m.sel(longitude=-75.5, **point).item())


def test_xarrays_engine_of_kerchunk_opens_the_json(exports, dataset):
    ds = xr.open_dataset(str(exports / "gefs.json"), engine="kerchunk", storage_options={"remote_protocol": "file"})
    np.testing.assert_array_equal(ds.step.values, dataset.step.values)
    assert not np.isnan(ds.t2m[0, 0, 0].values).any()


class Grib(ArrayBytesCodec):
    """What VirtualiZarr makes of kerchunk's filter, numcodecs.grib: it opens nothing unless somebody registers that."""

    is_fixed_size = False

    def __init__(self, var, dtype):
        self.filter = kerchunk.codecs.GRIBCodec(var, dtype)

    @classmethod
    def from_dict(cls, data):
        return cls(**data["configuration"])

    def to_dict(self):
        return {"name": "numcodecs.grib", "configuration": {"var": self.filter.var, "dtype": self.filter.dtype}}

    async def _decode_single(self, chunk_bytes, chunk_spec):
        values = self.filter.decode(chunk_bytes.to_bytes())
        return chunk_spec.prototype.nd_buffer.from_numpy_array(values.reshape(chunk_spec.shape))

    def compute_encoded_size(self, input_byte_length, _chunk_spec):
        return input_byte_length


zarr.registry.register_codec("numcodecs.grib", Grib)


@pytest.mark.parametrize("parser, name", [(KerchunkJSONParser, "gefs.json"), (KerchunkParquetParser, "gefs.parq")])
def test_virtualizarr_parses_what_is_exported(exports, dataset, run, parser, name):
    registry = ObjectStoreRegistry({"file://": LocalStore()})
    url = f"file://{exports / name}"
    # Coordinates need no codec.
    coordinates = parser(skip_variables=["tp", "t2m"])(url, registry)
    ds = xr.open_zarr(coordinates, consolidated=False, zarr_format=3)
    np.testing.assert_array_equal(ds.step.values, dataset.step.values)
    ds = xr.open_zarr(parser()(url, registry), consolidated=False, zarr_format=3)
    values = next(values for keys, values in messages(file_of(run, 2, 12)) if keys["cfVarName"] == "t2m")
    np.testing.assert_array_equal(ds.t2m.sel(member=2, step="12h")[0].values, values.astype(np.float32))
    np.testing.assert_array_equal(ds.member.values, [0, 1, 2])


def chunks(table, pattern):
    """As the legacy scripts do: a regular expression on the keys, JSON lists as byte ranges."""
    found = {}
    for key, value in zip(table["key"], table["value"]):
        match = re.match(pattern, key)
        if match:
            text = value.decode() if isinstance(value, bytes) else value
            found[int(match.group(1))] = json.loads(text)
    return dict(sorted(found.items()))


def read_range(reference):
    url, offset, length = reference
    with open(url.removeprefix("file://"), "rb") as file:
        file.seek(offset)
        return file.read(length)


def decoded(message):
    handle = eccodes.codes_new_from_message(message)
    values = eccodes.codes_get_values(handle)
    eccodes.codes_release(handle)
    return values.reshape(721, 1440)


@pytest.mark.parametrize("engine", ["pyarrow", "fastparquet"])
def test_the_legacy_scripts_read_members_of_gefs(exports, run, engine):
    table = pd.read_parquet(exports / "members/gep02_20250106_00z.parquet", engine=engine)
    assert list(table.columns) == ["key", "value"]
    found = chunks(table, r"^tp/accum/surface/tp/(\d+)\.0\.0$")
    assert list(found) == [1, 2, 3, 4, 5, 6, 7, 8]
    for index, reference in found.items():
        message = read_range(reference)
        assert message[:4] == b"GRIB" and message[-4:] == b"7777"
        values = next(v for k, v in messages(file_of(run, 2, 3 * index)) if k["cfVarName"] == "tp")
        np.testing.assert_array_equal(decoded(message), values)


def test_what_only_the_legacy_scripts_need(exports, store, tmp_path):
    """Bare NaN, which no JSON has but Python reads, and scalar levels also under an empty chunk's key."""
    gik("export", store, "--format", "parquet", "--compat-legacy", "-o", tmp_path / "compat")
    tables = [pd.read_parquet(folder / "gep02_20250106_00z.parquet") for folder in (exports / "members", tmp_path / "compat")]
    plain, compat = (dict(zip(table["key"], table["value"])) for table in tables)
    ranges = [{key: value for key, value in table.items() if value.startswith(b"[")} for table in (plain, compat)]
    assert ranges[0] == ranges[1] and len(ranges[0]) > 8
    key = "tp/accum/surface/tp/.zarray"
    assert json.loads(plain[key])["fill_value"] == "NaN"
    fill = json.loads(compat[key])["fill_value"]
    assert isinstance(fill, float) and np.isnan(fill)
    level = "t2m/instant/heightAboveGround/heightAboveGround/"
    assert level not in plain
    assert compat[level] == compat[level + "0"]
    assert np.frombuffer(base64.b64decode(compat[level].removeprefix(b"base64:"))) == [2.0]


def test_members_are_zarr_stores(exports, run):
    """Each variable's group opens on its own, as those of kerchunk's grib_tree do."""
    table = pd.read_parquet(exports / "members/gep01_20250106_00z.parquet")
    references = {"version": 1, "refs": {}}
    for key, value in zip(table["key"], table["value"]):
        text = value.decode()
        references["refs"][key] = json.loads(text) if text.startswith("[") else text
    filesystem = fsspec.filesystem("reference", fo=references, remote_protocol="file", asynchronous=True)
    ds = xr.open_zarr(FsspecStore(filesystem), group="tp/accum/surface", consolidated=False, zarr_format=2)
    assert ds.tp.dims == ("valid_times", "latitude", "longitude")
    assert (ds.time.values == np.datetime64("2025-01-06T00")).all() and ds.valid_time.values[2] == np.datetime64("2025-01-06T06")
    assert int(ds.number) == 1
    values = next(values for keys, values in messages(file_of(run, 1, 6)) if keys["cfVarName"] == "tp")
    np.testing.assert_array_equal(ds.tp[2].values, values.astype(np.float32))


def test_the_legacy_scripts_read_members_of_ecmwf(tmp_path):
    bucket, store = tmp_path / "bucket", tmp_path / "store"
    arguments = ["--run", "2026-02-05T00", "--members", "0-1", "--steps", "0-6", "--messages", "tp"]
    subprocess.run([GENERATE_ECMWF, bucket, *arguments], check=True, timeout=300)
    options = ["--product", "enfo", "--members", "0-1", "--steps", "0-6", "--variables", "tp"]
    build(bucket, store, *options, model="ecmwf", run="2026-02-05T00")
    gik("export", store, "--format", "parquet", "-o", tmp_path / "out")
    for member, name in [("control", "control"), ("ens01", "ens_01")]:
        table = pd.read_parquet(tmp_path / f"out/ecmwf_three_stage_20260205_00z/stage3_{name}_final.parquet")
        found = chunks(table, rf"^step_(\d+)/tp/sfc/{member}/0\.0\.0$")
        assert list(found) == [0, 3, 6]
        for reference in found.values():
            message = read_range(reference)
            assert message[:4] == b"GRIB" and message[-4:] == b"7777"
            assert decoded(message).max() >= 0


def test_projected_grids_have_latitudes_and_longitudes(tmp_path):
    """The coordinates of each point are decoded from a message of nothing but the grid, by ecCodes too."""
    bucket, store = tmp_path / "bucket", tmp_path / "store"
    arguments = ["--date", "20250801", "--hour", "0", "--hours", "1-1", "--grid", "60x40", "--messages", "t2m"]
    subprocess.run([GENERATE_HRRR, bucket, *arguments], check=True, timeout=300)
    build(bucket, store, "--steps", "1", "--variables", "t2m", model="hrrr", run="2025-08-01T00")
    gik("export", store, "--format", "kerchunk-json", "-o", tmp_path / "hrrr.json")
    ds = opened(tmp_path / "hrrr.json")
    assert ds.latitude.dims == ("y", "x")
    assert (round(float(ds.latitude[0, 0]), 6), round(float(ds.longitude[0, 0]), 6)) == (21.138123, 237.280472)
