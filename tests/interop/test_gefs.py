"""GEFS stores read by stock packages: structure as CF has it, every value as ecCodes decodes it."""

import json
import subprocess

import cfgrib
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from conftest import FIXTURES, GENERATE, SUBSET, build, gik, messages, open_store, turned


def file_of(run, member, step):
    name = "gec00" if member == 0 else f"gep{member:02}"
    return run / f"gefs.20250106/00/atmos/pgrb2sp25/{name}.t00z.pgrb2s.0p25.f{step:03}"


def test_dimensions_and_coordinates(dataset):
    assert dict(dataset.sizes) == {"time": 1, "member": 3, "step": 9, "latitude": 721, "longitude": 1440}
    assert dataset.t2m.dims == ("time", "member", "step", "latitude", "longitude")
    assert set(dataset.data_vars) == {"t2m", "tp"}  # zarr lists members in any order
    assert dataset.time.values == np.array(["2025-01-06T00"], "datetime64[ns]")
    assert (dataset.step.values == pd.timedelta_range("0h", "24h", freq="3h")).all()
    assert (dataset.valid_time.values == dataset.time.values[:, None] + dataset.step.values[None, :]).all()
    assert (dataset.member.values == [0, 1, 2]).all()
    assert (dataset.latitude.values == np.linspace(90, -90, 721)).all()
    assert (dataset.longitude.values == np.linspace(-180, 179.75, 1440)).all()
    assert dataset.t2m.dtype == np.float32


def test_cf_attributes(dataset):
    assert dataset.attrs["Conventions"].startswith("CF-1.")
    assert dataset.tp.attrs["standard_name"] == "precipitation_amount"
    assert dataset.tp.attrs["units"] == "kg m-2"
    assert dataset.tp.attrs["cell_methods"].startswith("step: sum")
    assert dataset.t2m.attrs["standard_name"] == "air_temperature"
    assert "cell_methods" not in dataset.t2m.attrs
    assert dataset.time.attrs["standard_name"] == "forecast_reference_time"
    assert dataset.step.attrs["standard_name"] == "forecast_period"
    assert dataset.valid_time.attrs["standard_name"] == "time"
    assert dataset.member.attrs["standard_name"] == "realization"
    assert dataset.latitude.attrs["units"] == "degrees_north"
    assert dataset.longitude.attrs["units"] == "degrees_east"


@pytest.mark.parametrize("name", ["tp", "t2m"])
def test_attributes_are_those_of_cfgrib(dataset, run, name):
    theirs = cfgrib.open_datasets(str(file_of(run, 1, 6)), backend_kwargs={"indexpath": ""})
    variable = next(ds[name] for ds in theirs if name in ds)
    # Members differ in it; see the crate's documentation.
    expected = {k: v for k, v in variable.attrs.items() if k.startswith("GRIB_") and k != "GRIB_dataType"}
    ours = dataset[name].attrs
    assert {key: ours.get(key) for key in expected} == expected
    assert ours["standard_name"] == variable.attrs.get("standard_name", ours["standard_name"]) or name == "tp"


def test_every_value_is_that_of_eccodes(dataset, run):
    compared = 0
    for member in range(3):
        for index, step in enumerate(range(0, 25, 3)):
            for keys, values in messages(file_of(run, member, step)):
                ours = dataset[keys["cfVarName"]][0, member, index].values
                np.testing.assert_array_equal(ours, turned(values).astype(np.float32))
                compared += 1
    assert compared == 51


def test_what_no_message_fills_is_nan(dataset):
    assert np.isnan(dataset.tp[0, :, 0]).all()
    assert not np.isnan(dataset.tp[0, 0, 1]).any()


def test_read_agrees_with_xarray(dataset, store, run, tmp_path):
    region = dict(latitude=slice(23, -12), longitude=slice(21, 53))
    expected = dataset.tp.sel(member=1, step="24h", **region)
    selection = ["--sel", "member=1", "--sel", "step=24", "--sel", "time=2025-01-06T00", "--bbox", "21,-12,53,23"]
    for ending in ("npy", "nc", "csv", "png"):
        gik("read", store, "tp", *selection, "--allow", run, "-o", tmp_path / f"tp.{ending}")
    np.testing.assert_array_equal(np.load(tmp_path / "tp.npy"), expected[0].values)
    netcdf = xr.open_dataset(tmp_path / "tp.nc", decode_timedelta=True)
    np.testing.assert_array_equal(netcdf.tp.values, expected[0].values)
    assert netcdf.tp.attrs["units"] == "kg m-2"
    for name in ("time", "step", "valid_time", "member", "latitude", "longitude"):
        np.testing.assert_array_equal(netcdf[name].values, expected[0][name].values)
    table = pd.read_csv(tmp_path / "tp.csv")
    np.testing.assert_array_equal(table.tp.to_numpy(np.float32), expected[0].values.ravel())
    assert (tmp_path / "tp.png").read_bytes().startswith(b"\x89PNG")


def test_layout_run_has_valid_time(run, tmp_path):
    build(run, tmp_path / "store", *SUBSET, "--layout", "run")
    dataset = open_store(tmp_path / "store", run)
    assert dataset.tp.dims == ("member", "time", "latitude", "longitude")
    assert (dataset.time.values == pd.date_range("2025-01-06", periods=9, freq="3h")).all()
    assert dataset.reference_time.values == np.datetime64("2025-01-06T00")
    assert (dataset.step.values == pd.timedelta_range("0h", "24h", freq="3h")).all()
    values = next(values for keys, values in messages(file_of(run, 2, 12)) if keys["cfVarName"] == "tp")
    np.testing.assert_array_equal(dataset.tp[2, 4].values, turned(values).astype(np.float32))


def test_double_precision(run, tmp_path):
    build(run, tmp_path / "store", *SUBSET, "--data-type", "float64")
    dataset = open_store(tmp_path / "store", run)
    values = next(values for keys, values in messages(file_of(run, 0, 6)) if keys["cfVarName"] == "t2m")
    assert dataset.t2m.dtype == np.float64
    np.testing.assert_array_equal(dataset.t2m[0, 0, 2].values, turned(values))


def test_a_missing_file_reads_as_nan(run, tmp_path):
    folder = tmp_path / "mirror"
    source = file_of(run, 1, 6)
    target = folder / source.relative_to(run)
    target.parent.mkdir(parents=True)
    for member in (0, 1, 2):
        for step in range(0, 25, 3):
            if (member, step) == (1, 6):
                continue
            file = file_of(run, member, step)
            for ending in ("", ".idx"):
                (target.parent / (file.name + ending)).symlink_to(file.parent / (file.name + ending))
    report = build(folder, tmp_path / "store", *SUBSET, code=3)
    assert not report["complete"] and report["problems"] == {"missing_file": 1}
    dataset = open_store(tmp_path / "store", folder)
    assert np.isnan(dataset.t2m[0, 1, 2]).all()
    assert not np.isnan(dataset.t2m[0, 1, 1]).any()


def test_a_real_message(tmp_path):
    """NCEP's own bytes: soil moisture of the control, complex packing with a bitmap."""
    message = (FIXTURES / "gec00_20250101_00_soilw.grib").read_bytes()
    keys, values = next(messages(FIXTURES / "gec00_20250101_00_soilw.grib"))
    step = keys["endStep"]
    folder = tmp_path / "bucket/gefs.20250101/00/atmos/pgrb2ap5"
    folder.mkdir(parents=True)
    name = f"gec00.t00z.pgrb2a.0p50.f{step:03}"
    (folder / name).write_bytes(message)
    time = "anl" if step == 0 else f"{step} hour fcst"
    line = f"1:0:d=2025010100:SOILW:0-0.1 m below ground:{time}:ENS=low-res ctl\n"
    (folder / f"{name}.idx").write_text(line)
    arguments = ["--product", "pgrb2ap5", "--members", "0", "--steps", step, "--variables", "soilw"]
    build(tmp_path / "bucket", tmp_path / "store", *arguments, run="2025-01-01T00")
    dataset = open_store(tmp_path / "store", tmp_path / "bucket")
    assert dataset.soilw.dims == ("time", "member", "step", "depthBelowLandLayer", "latitude", "longitude")
    np.testing.assert_array_equal(dataset.soilw[0, 0, 0, 0].values, turned(values).astype(np.float32))
    assert np.isnan(dataset.soilw).any() and not np.isnan(dataset.soilw).all()
    gik("read", tmp_path / "store", "soilw", "--allow", tmp_path / "bucket", "-o", tmp_path / "soilw.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "soilw.npy"), dataset.soilw.values)


def test_info_is_json(store):
    info = json.loads(gik("info", store, "--json"))
    assert {variable["name"]: variable["references"] for variable in info["variables"]} == {"t2m": 27, "tp": 24}


def test_a_store_that_has_grown(tmp_path):
    """Runs built, followed and back-filled, out of order: coordinates and every value."""
    folder, store = tmp_path / "bucket", tmp_path / "store"
    hours = (0, 6, 12, 18)
    for hour in hours:
        arguments = ["--date", "20250106", "--hour", str(hour), "--product", "s", "--members", "0-1", "--steps", "0-6"]
        subprocess.run([GENERATE, folder, *arguments, "--messages", "tp,t2m", "--coarse"], check=True, timeout=300)
    subset = ["--members", "0-1", "--steps", "0-6", "--variables", "tp,t2m", "--source", folder, "--store", store]
    build(folder, store, *subset[:6], run="2025-01-06T12")
    gik("update", "gefs", "--run", "2025-01-06T18", *subset)
    gik("backfill", "gefs", "--from", "2025-01-06T00", "--to", "2025-01-06T18", *subset)
    dataset = open_store(store, folder)
    assert dict(dataset.sizes) == {"time": 4, "member": 2, "step": 3, "latitude": 721, "longitude": 1440}
    assert (dataset.time.values == pd.date_range("2025-01-06", periods=4, freq="6h")).all()
    assert (dataset.step.values == pd.timedelta_range("0h", "6h", freq="3h")).all()
    assert (dataset.valid_time.values == dataset.time.values[:, None] + dataset.step.values[None, :]).all()
    compared = 0
    for position, hour in enumerate(hours):
        for member in range(2):
            for index, step in enumerate((0, 3, 6)):
                name = "gec00" if member == 0 else f"gep{member:02}"
                file = f"gefs.20250106/{hour:02}/atmos/pgrb2sp25/{name}.t{hour:02}z.pgrb2s.0p25.f{step:03}"
                for keys, values in messages(folder / file):
                    ours = dataset[keys["cfVarName"]][position, member, index].values
                    np.testing.assert_array_equal(ours, turned(values).astype(np.float32))
                    compared += 1
    # Rain has no message at 0 h.
    assert compared == 4 * 2 * (3 + 2)
    assert np.isnan(dataset.tp[:, :, 0]).all()
