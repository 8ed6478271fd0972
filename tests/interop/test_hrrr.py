"""HRRR stores read by stock packages: the map, the quarters of an hour, every value as ecCodes decodes it."""

import json
import os
import shutil
import subprocess
import sys

import eccodes
import numpy as np
import pandas as pd
import pytest

from conftest import FIXTURES, build, gik, messages, open_store

GENERATE = os.environ["GIK_GENERATE_HRRR"]
SUBHOURLY = FIXTURES / "hrrr.wrfsubhf.sample.grib2"


PROJECT = """
import json
import numpy as np
from pyproj import CRS, Transformer

points, attributes = np.load("points.npz"), json.load(open("map.json"))
x, y = np.meshgrid(points["x"], points["y"])
# The sphere alone: no datum is shifted.
geodetic = CRS.from_proj4(f"+proj=longlat +R={attributes['earth_radius']} +no_defs")
for crs in CRS.from_wkt(attributes["crs_wkt"]), CRS.from_string(attributes["proj4"]), CRS.from_cf(attributes):
    east, north = Transformer.from_crs(crs, geodetic, always_xy=True).transform(x, y)
    assert np.abs(north - points["latitudes"]).max() < 1e-6, crs.name
    assert np.abs(east - points["longitudes"]).max() < 1e-6, crs.name
"""


def points(path):
    """Latitudes and longitudes (-180 to 180) of the first message, as ecCodes computes them."""
    with open(path, "rb") as file:
        handle = eccodes.codes_grib_new_from_file(file)
        latitudes = eccodes.codes_get_array(handle, "latitudes")
        longitudes = eccodes.codes_get_array(handle, "longitudes")
        shape = eccodes.codes_get(handle, "Ny"), eccodes.codes_get(handle, "Nx")
        eccodes.codes_release(handle)
    longitudes = (longitudes + 180) % 360 - 180
    return latitudes.reshape(shape), longitudes.reshape(shape)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The store of a real file of two messages, without an index."""
    folder = tmp_path_factory.mktemp("real")
    target = folder / "mirror/hrrr.20221014/conus/hrrr.t01z.wrfsubhf01.grib2"
    target.parent.mkdir(parents=True)
    shutil.copy(SUBHOURLY, target)
    report = build(
        folder / "mirror", folder / "store", "--product", "wrfsubh", "--steps", "15",
        "--variables", "refc,vbdsf_avg", "--no-index", model="hrrr", run="2022-10-14T01",
    )
    assert (report["references"]["expected"], report["references"]["written"]) == (2, 2) and report["complete"]
    return open_store(folder / "store", folder / "mirror")


def test_the_real_sub_hourly_messages_are_those_of_eccodes(real):
    assert real.refc.dims == ("time", "step", "y", "x")
    assert real.step.values == np.timedelta64(15, "m")
    for name, (keys, values) in zip(["refc", "vbdsf_avg"], messages(SUBHOURLY), strict=True):
        ours = real[name].isel(time=0, step=0).values
        np.testing.assert_array_equal(ours, values.astype(np.float32))
        assert real[name].attrs["GRIB_paramId"] == keys["paramId"]
        assert real[name].attrs["GRIB_stepType"] == keys["stepType"]
        assert real[name].attrs["GRIB_typeOfLevel"] == keys["typeOfLevel"]
    assert real.vbdsf_avg.attrs["cell_methods"] == "step: mean (comment: over the last 15 minutes)"


def test_points_lie_where_eccodes_and_proj_have_them(real, tmp_path):
    latitudes, longitudes = points(SUBHOURLY)
    assert np.abs(real.latitude.values - latitudes).max() < 1e-6
    assert np.abs(real.longitude.values - longitudes).max() < 1e-6
    np.savez(tmp_path / "points.npz", x=real.x, y=real.y, latitudes=latitudes, longitudes=longitudes)
    (tmp_path / "map.json").write_text(json.dumps(dict(real.spatial_ref.attrs)))
    # In a process of its own: ecCodes and pyproj each bring their PROJ.
    subprocess.run([sys.executable, "-c", PROJECT], cwd=tmp_path, check=True, timeout=300)


@pytest.fixture(scope="module", params=["conus", "alaska"])
def generated(request, tmp_path_factory):
    """Four hours of a run, with and without indexes."""
    folder = tmp_path_factory.mktemp(request.param)
    region = ["--alaska"] if request.param == "alaska" else []
    arguments = ["--hours", "0-3", "--messages", "t2m,tp,tp_run_total,t,u10,sdwe,refd"]
    subprocess.run([GENERATE, folder / "mirror", *region, *arguments], check=True, timeout=300)
    return folder, request.param


def test_structure_and_every_value(generated):
    folder, region = generated
    product = "wrfsfc-ak" if region == "alaska" else "wrfsfc"
    arguments = ["--product", product, "--steps", "0-3", "--variables", "t2m,tp,tp_run_total,t,u10,sdwe,refd"]
    report = build(folder / "mirror", folder / "store", *arguments, model="hrrr", run="2025-08-01T00")
    assert report["complete"]
    scanned = build(folder / "mirror", folder / "scanned", *arguments, "--no-index", model="hrrr", run="2025-08-01T00")
    assert scanned["references"] == report["references"]
    dataset = open_store(folder / "store", folder / "mirror")
    assert dataset.t.dims == ("time", "step", "isobaricInhPa", "y", "x")
    assert (dataset.step.values == pd.timedelta_range("0h", "3h", freq="1h")).all()
    assert dataset.u10.attrs["GRIB_uvRelativeToGrid"] == 1 and "relative to the grid" in dataset.u10.attrs["comment"]
    folder_of = folder / "mirror/hrrr.20250801" / region
    for step in range(4):
        name = f"hrrr.t00z.wrfsfcf{step:02}{'.ak' if region == 'alaska' else ''}.grib2"
        text = gik("scan", "--json", folder_of / name)
        found = json.loads(text)["fields"]
        with open(folder_of / name, "rb") as file:
            for field in found:
                handle = eccodes.codes_grib_new_from_file(file)
                get = lambda key: eccodes.codes_get(handle, key)
                assert field["offset"] == eccodes.codes_get(handle, "offset", int)
                assert field["length"] == get("totalLength")
                assert field["level"]["type"] == get("typeOfLevel")
                assert field["window"]["step_type"] == get("stepType")
                assert field["window"]["end_seconds"] == get("endStep") * 3600
                assert field["grid"]["type"] == get("gridType")
                assert (field["grid"]["rows"], field["grid"]["columns"]) == (get("Ny"), get("Nx"))
                assert field["packing"]["type"] == get("packingType")
                assert field["packing"]["bits"] == get("bitsPerValue")
                eccodes.codes_release(handle)


def test_a_full_size_field_is_that_of_eccodes(tmp_path):
    for region, product, flag in (("conus", "wrfsfc", []), ("alaska", "wrfsfc-ak", ["--alaska"])):
        mirror = tmp_path / region
        subprocess.run(
            [GENERATE, mirror, *flag, "--hours", "2-2", "--messages", "t2m,tp"], check=True, timeout=300
        )
        build(
            mirror, tmp_path / f"{region}-store", "--product", product, "--steps", "2",
            "--variables", "t2m,tp", "--codec", "gribberish", model="hrrr", run="2025-08-01T00",
        )
        dataset = open_store(tmp_path / f"{region}-store", mirror)
        file = next((mirror / "hrrr.20250801" / region).glob("*.grib2"))
        for name, (_, values) in zip(["t2m", "tp"], messages(file), strict=True):
            ours = dataset[name].isel(time=0, step=0).values
            np.testing.assert_array_equal(ours, values.astype(np.float32))
        latitudes, longitudes = points(file)
        assert np.abs(dataset.latitude.values - latitudes).max() < 1e-6
        assert np.abs(dataset.longitude.values - longitudes).max() < 1e-6
