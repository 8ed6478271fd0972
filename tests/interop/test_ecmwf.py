"""ECMWF stores read by stock packages: structure as CF has it, every value as ecCodes decodes it."""

import os
import pathlib
import subprocess

import eccodes
import numpy as np
import pandas as pd
import pytest

from conftest import FIXTURES, build, gik, messages, open_store

GENERATE = pathlib.Path(os.environ["GIK_GENERATE_ECMWF"])
SUBSET = ("--product", "enfo", "--members", "0-2", "--steps", "0-6", "--variables", "tp,t2m,t,gh")
NAMES = {"2t": "t2m", "tp": "tp", "t": "t", "gh": "gh"}


def keys_of(path):
    """MARS keys of each message of a file, in its order."""
    with open(path, "rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            yield {
                "param": eccodes.codes_get(handle, "shortName"),
                "level": eccodes.codes_get(handle, "level"),
                "number": eccodes.codes_get(handle, "number") if eccodes.codes_is_defined(handle, "number") else 0,
                "step": eccodes.codes_get(handle, "endStep"),
                "first": eccodes.codes_get(handle, "longitudeOfFirstGridPointInDegrees"),
                "last": eccodes.codes_get(handle, "longitudeOfLastGridPointInDegrees"),
                "packing": eccodes.codes_get(handle, "packingType"),
                "centre": eccodes.codes_get(handle, "centre"),
            }
            eccodes.codes_release(handle)


def generated(folder, time):
    arguments = ["--run", time, "--members", "0-2", "--steps", "0-6", "--messages", "2t,tp,t,gh"]
    subprocess.run([GENERATE, folder, *arguments], check=True, timeout=300)
    return folder


def check_every_value(dataset, files):
    """Compares each message of the files with its place in the store; how many there were."""
    compared = 0
    for path in files:
        for keys, (_, values) in zip(keys_of(path), messages(path), strict=True):
            assert (keys["first"], keys["last"]) == (180, 179.75) and keys["centre"] == "ecmf"
            place = dict(member=keys["number"], step=pd.Timedelta(hours=keys["step"]))
            if keys["param"] in ("t", "gh"):
                place["isobaricInhPa"] = keys["level"]
            ours = dataset[NAMES[keys["param"]]].isel(time=0).sel(place)
            np.testing.assert_array_equal(ours.values, values.astype(np.float32))
            compared += 1
    return compared


@pytest.mark.parametrize("time", ["2026-02-05T00", "2026-06-01T00"])
def test_every_value_is_that_of_eccodes(tmp_path, time):
    """Before cycle 50r1, with the control in the ensemble's files, and since, with files of its own."""
    folder = generated(tmp_path / "bucket", time)
    report = build(folder, tmp_path / "store", *SUBSET, run=time, model="ecmwf", code=3)
    # The generator has two of the pressure levels, and says so by leaving the others out.
    assert set(report["problems"]) == {"missing_message"}
    assert report["references"]["written"] == 3 * 3 * (2 + 2 * 2)
    dataset = open_store(tmp_path / "store", folder)
    assert dataset.t.dims == ("time", "member", "step", "isobaricInhPa", "latitude", "longitude")
    assert (dataset.longitude.values == np.linspace(-180, 179.75, 1440)).all()
    assert (dataset.member.values == [0, 1, 2]).all()
    files = sorted(folder.rglob("*.grib2"))
    assert len(files) == (3 if time < "2026-05" else 6)
    assert check_every_value(dataset, files) == 54
    assert np.isnan(dataset.t.sel(isobaricInhPa=10)).all()


def test_read_agrees_with_xarray(tmp_path):
    folder = generated(tmp_path / "bucket", "2026-02-05T00")
    build(folder, tmp_path / "store", *SUBSET, run="2026-02-05T00", model="ecmwf", code=3)
    dataset = open_store(tmp_path / "store", folder)
    selection = ["--sel", "member=1", "--sel", "step=6", "--sel", "time=2026-02-05T00", "--bbox", "21,-12,53,23"]
    gik("read", tmp_path / "store", "tp", *selection, "--allow", folder, "-o", tmp_path / "tp.npy")
    expected = dataset.tp.sel(member=1, step="6h", latitude=slice(23, -12), longitude=slice(21, 53))
    np.testing.assert_array_equal(np.load(tmp_path / "tp.npy"), expected[0].values)
    assert dataset.tp.attrs["units"] == "m" and float(expected.max()) > 0


def real(tmp_path, fixture, product, path, stream, kind):
    """A store of a real file, with an index as ECMWF writes it."""
    source = FIXTURES / fixture
    target = tmp_path / "bucket" / path
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes())
    lines, offset, names = [], 0, []
    with open(source, "rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            param, length = eccodes.codes_get(handle, "shortName"), eccodes.codes_get(handle, "totalLength")
            level = eccodes.codes_get(handle, "level")
            levels = f'"levelist": "{level}", "levtype": "pl"' if param == "t" else '"levtype": "sfc"'
            lines.append(
                f'{{"date": "20260310", "time": "0000", "type": "{kind}", "stream": "{stream}", "step": "0", '
                f'{levels}, "param": "{param}", "_offset": {offset}, "_length": {length}}}'
            )
            names.append(eccodes.codes_get(handle, "cfVarName"))
            offset += length
            eccodes.codes_release(handle)
    target.with_suffix(".index").write_text("\n".join(lines) + "\n")
    arguments = ["--product", product, "--steps", "0", "--variables", ",".join(names)]
    if kind == "cf":
        arguments += ["--members", "0"]
    build(
        tmp_path / "bucket", tmp_path / "store", *arguments, run="2026-03-10T00", model="ecmwf", code=3 if kind == "cf" else 0
    )
    return open_store(tmp_path / "store", tmp_path / "bucket"), names


def check_both_readers(tmp_path, dataset, names, fixture, place):
    """Rust and stock Python give what ecCodes gives."""
    for name, (keys, values) in zip(names, messages(FIXTURES / fixture), strict=True):
        expected = values.astype(np.float32)
        array = dataset[name].sel(place) if place else dataset[name]
        np.testing.assert_array_equal(array.values.squeeze(), expected, err_msg=name)
        labels = [word for key, value in place.items() for word in ("--sel", f"{key}={value}")]
        gik("read", tmp_path / "store", name, *labels, "--allow", tmp_path / "bucket", "-o", tmp_path / f"{name}.npy")
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy").squeeze(), expected, err_msg=name)
        assert dataset[name].attrs["GRIB_paramId"] == keys["paramId"]
        assert dataset[name].attrs["GRIB_units"] == keys["units"]
        assert dataset[name].attrs["GRIB_typeOfLevel"] == keys["typeOfLevel"]
        assert dataset[name].attrs["GRIB_stepType"] == keys["stepType"]


def test_real_messages_of_the_high_resolution_forecast(tmp_path):
    fixture = "ecmwf-ifs-oper-surface.grib2"
    path = "20260310/00z/ifs/0p25/oper/20260310000000-0h-oper-fc.grib2"
    dataset, names = real(tmp_path, fixture, "oper", path, "oper", "fc")
    assert names == ["asn", "ptype", "rsn", "sd", "tcc"] and "member" not in dataset.dims
    check_both_readers(tmp_path, dataset, names, fixture, {})


def test_a_real_message_of_the_aifs_ensemble(tmp_path):
    fixture = "aifs-ens-cf-t500.grib2"
    path = "20260310/00z/aifs-ens/0p25/enfo/20260310000000-0h-enfo-cf.grib2"
    dataset, names = real(tmp_path, fixture, "aifs-ens", path, "enfo", "cf")
    check_both_readers(tmp_path, dataset, names, fixture, {"isobaricInhPa": 500})
    assert dataset.t.attrs["GRIB_totalNumber"] == 51
