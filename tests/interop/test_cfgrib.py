"""The same files opened by cfgrib and by us, variable by variable: values, coordinates, attributes.

All that differs is in `DIFFERENCES`, with the reason; anything else fails, and so does a difference
that is gone.
"""

import os
import shutil
import subprocess

import cfgrib
import numpy as np
import pandas as pd
import pytest

from conftest import FIXTURES, GENERATE, build, open_store

GEFS, ECMWF, HRRR = "gefs", "ecmwf", "hrrr"
EVERYWHERE = (GEFS, ECMWF, HRRR)

# (what, whose attribute or coordinate): where, why. `attribute` is of variables, `group` of the dataset.
DIFFERENCES = {
    ("name", "vbdsf"): ((HRRR,), "instant and mean are two variables; ours is vbdsf_avg, whatever else a file has"),
    ("attribute", "GRIB_dataType"): (EVERYWHERE, "the control's differs from that of the other members of the array"),
    ("attribute", "units"): (EVERYWHERE, "in the form of UDUNITS: kg m-2, m, not kg m**-2, gpm"),
    ("attribute", "standard_name"): (EVERYWHERE, "that of CF where cfgrib has none, 'unknown'"),
    ("attribute", "GRIB_gridDefinitionDescription"): ((HRRR,), "one capital letter, of another version of ecCodes"),
    ("attribute", "GRIB_latitudeOfSouthernPoleInDegrees"): ((HRRR,), "of no meaning to this projection"),
    ("attribute", "GRIB_longitudeOfSouthernPoleInDegrees"): ((HRRR,), "of no meaning to this projection"),
    ("coordinate", "number"): ((GEFS, ECMWF), "called member, a dimension, 0 for the control"),
    ("coordinate", "heightAboveGround"): ((GEFS, ECMWF), "one level is no dimension: attributes level, GRIB_level"),
    ("coordinate", "surface"): (EVERYWHERE, "no level: attribute level"),
    ("coordinate", "atmosphere"): ((HRRR,), "no level: attribute level"),
    ("values", "longitude"): ((GEFS,), "from -180 in every model; fields are turned with it"),
    ("label", "longitude"): ((GEFS, ECMWF), "says that it increases, as cfgrib says of latitudes that they decrease"),
    ("label", "valid_time"): (EVERYWHERE, "a longer long_name"),
    ("group", "Conventions"): (EVERYWHERE, "CF-1.11, not CF-1.7"),
}

NAMES = {"vbdsf": "vbdsf_avg"}


def gefs(folder):
    arguments = ["--members", "1-1", "--steps", "6-6", "--messages", "tp,t2m"]
    subprocess.run([GENERATE, folder / "files", *arguments], check=True, timeout=300)
    build(folder / "files", folder / "store", "--members", "1", "--steps", "6", "--variables", "tp,t2m")


def ecmwf(folder):
    time, names = "2026-02-05T00", ["--variables", "tp,t2m,t,gh"]
    arguments = ["--run", time, "--members", "0-2", "--steps", "6-6", "--messages", "2t,tp,t,gh"]
    subprocess.run([os.environ["GIK_GENERATE_ECMWF"], folder / "files", *arguments], check=True, timeout=300)
    choice = ["--product", "enfo", "--members", "0-2", "--steps", "6", *names]
    # The generator has two of the pressure levels.
    build(folder / "files", folder / "store", *choice, run=time, model=ECMWF, code=3)


def hrrr(folder):
    """A real file."""
    target = folder / "files/hrrr.20221014/conus/hrrr.t01z.wrfsubhf01.grib2"
    target.parent.mkdir(parents=True)
    shutil.copy(FIXTURES / "hrrr.wrfsubhf.sample.grib2", target)
    choice = ["--product", "wrfsubh", "--steps", "15", "--variables", "refc,vbdsf_avg", "--no-index"]
    build(folder / "files", folder / "store", *choice, run="2022-10-14T01", model=HRRR)


MODELS = {GEFS: (gefs, 2), ECMWF: (ecmwf, 8), HRRR: (hrrr, 2)}


@pytest.mark.parametrize("model", MODELS)
def test_both_give_the_same_but_for_what_is_listed(model, tmp_path):
    make, count = MODELS[model]
    make(tmp_path)
    ours = open_store(tmp_path / "store", tmp_path / "files")
    (file,) = [path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.suffix not in (".idx", ".index")]
    found, compared = set(), 0
    for theirs in cfgrib.open_datasets(str(file), backend_kwargs={"indexpath": ""}):
        found |= differing("group", theirs.attrs, ours.attrs)
        for name, variable in theirs.data_vars.items():
            if name not in ours:
                found.add(("name", name))
            array = ours[NAMES.get(name, name)]
            found |= differing("attribute", variable.attrs, array.attrs)
            found |= coordinates(variable, array)
            place = {"time": variable.time.values, "step": variable.step.values}
            if "number" in variable.coords:
                place["member"] = variable.number.values
            if "isobaricInhPa" in variable.coords:
                place["isobaricInhPa"] = variable.isobaricInhPa.values
            values = variable.values
            if ("values", "longitude") in found:
                values = np.roll(values, values.shape[-1] // 2, axis=-1)
            np.testing.assert_array_equal(array.sel(place).values, values, err_msg=name)
            compared += 1
    assert compared == count
    assert found == {key for key, (models, _) in DIFFERENCES.items() if model in models}


def differing(what, theirs, ours):
    """The attributes of theirs that ours lack or have otherwise. Ours have more."""
    return {(what, key) for key, value in theirs.items() if key not in ours or ours[key] != value}


def coordinates(theirs, ours):
    """The coordinates of theirs that ours lack, or have with other labels or attributes."""
    found = set()
    for name, coordinate in theirs.coords.items():
        if name not in ours.coords:
            found.add(("coordinate", name))
            continue
        found |= {("label", name) for _ in differing("label", coordinate.attrs, ours[name].attrs)}
        if name == "latitude" or name == "longitude" and ours[name].ndim == 1:
            labels = coordinate.values
            if name == "longitude" and labels[0] == 0:
                found.add(("values", name))
                labels = np.roll((labels + 180) % 360 - 180, labels.size // 2)
            np.testing.assert_allclose(ours[name].values, labels, atol=1e-6)
        elif name == "longitude":
            np.testing.assert_allclose(ours[name].values, (coordinate.values + 180) % 360 - 180, atol=1e-6)
        else:
            assert pd.Index(coordinate.values.ravel()).isin(ours[name].values.ravel()).all(), name
        # What makes it a coordinate of all members and steps.
        if "stored_direction" in ours[name].attrs and "stored_direction" not in coordinate.attrs:
            found.add(("label", name))
    return found
