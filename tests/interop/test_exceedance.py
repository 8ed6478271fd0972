"""Probabilities and totals against NumPy over what ecCodes decodes."""

import json

import numpy as np
import pytest
import xarray as xr

from conftest import gik, messages, turned

THRESHOLDS = [1.0, 5.0, 10.0, 25.0]
MEMBERS = [0, 1, 2]
BOX = "21,-12,53,23"


def rain(run, member, step):
    """The field of a message in single precision, as a store holds it, longitudes from -180."""
    name = f"ge{'c' if member == 0 else 'p'}{member:02}.t00z.pgrb2s.0p25.f{step:03}"
    (path,) = run.glob(f"**/{name}")
    (values,) = [values for keys, values in messages(path) if keys["cfVarName"] == "tp"]
    return turned(values).astype("float32")


@pytest.fixture(scope="module")
def days(run):
    """The rain of 24 hours of each member: four windows of six, not all eight."""
    fields = [[rain(run, member, step) for step in (6, 12, 18, 24)] for member in MEMBERS]
    return np.array(fields).astype("float64").sum(axis=1).astype("float32")


def test_probabilities_equal_numpy_over_eccodes(run, store, days, tmp_path):
    thresholds = ",".join(map(str, THRESHOLDS))
    path = tmp_path / "p.nc"
    report = json.loads(
        gik("exceedance", store, "--allow", run, "--thresholds", thresholds, "-o", path, "--json")
    )
    assert report["complete"] and report["windows"] == [{"start": 0, "end": 24, "members": 3, "clipped": 0}]
    with xr.open_dataset(path) as ds:
        assert ds.tp_probability.dims == ("step", "threshold", "latitude", "longitude")
        assert ds.member_count.values.tolist() == [3] and ds.clipped_count.values.tolist() == [0]
        assert ds.threshold.values.tolist() == THRESHOLDS
        assert ds.valid_time.values[0] == np.datetime64("2025-01-07T00")
        assert (np.diff(ds.valid_time_bnds.values) == np.timedelta64(24, "h")).all()
        assert ds.clipped_count.values.tolist() == [0] and ds.rejected_count.values.tolist() == [0]
        assert ds.tp_probability.attrs["units"] == "%"
        for number, threshold in enumerate(THRESHOLDS):
            expected = ((days >= threshold).sum(axis=0) * 100.0 / 3).astype("float32")
            np.testing.assert_array_equal(ds.tp_probability.values[0, number], expected)
            assert 0 < expected.max() and expected.min() == 0


def test_noise_below_zero_is_counted_for_each_window(run, store, tmp_path):
    path = tmp_path / "c.nc"
    options = ["--window", "3h", "--thresholds", "0.1,1", "--allow", run, "-o", path, "--json"]
    report = json.loads(gik("exceedance", store, "--variable", "tp", *options))
    expected = []
    for start in range(0, 24, 3):
        fields = [rain(run, member, start + 3).astype("float64") for member in MEMBERS]
        if start % 6:
            # The second half of a bucket is the bucket less its first half.
            fields = [field - rain(run, member, start) for member, field in zip(MEMBERS, fields)]
        expected.append(int(sum((field.astype("float32") < 0).sum() for field in fields)))
    with xr.open_dataset(path) as ds:
        assert ds.clipped_count.values.tolist() == expected
        assert ds.threshold.values.tolist() == [0.1, 1.0]
    assert [window["clipped"] for window in report["windows"]] == expected
    assert report["clipped"]["values"] == sum(expected)


def test_totals_and_statistics_equal_numpy(run, store, days, tmp_path):
    path = tmp_path / "t.nc"
    gik("read", store, "tp", "--accumulate", "24h", "--allow", run, "-o", path)
    with xr.open_dataset(path) as ds:
        assert ds.tp.attrs["standard_name"] == "lwe_thickness_of_precipitation_amount"
        assert ds.step_bnds.shape == (1, 2)
        assert ds.tp.attrs["units"] == "mm" and ds.tp.dims == ("member", "step", "latitude", "longitude")
        np.testing.assert_array_equal(ds.tp.values[:, 0], days)
    members = np.array([rain(run, member, 6) for member in MEMBERS]).astype("float64")
    for statistic, expected in {
        "mean": members.mean(axis=0),
        "std": members.std(axis=0),
        "max": members.max(axis=0),
        "p90": np.percentile(members, 90, axis=0),
    }.items():
        gik("read", store, "tp", "--sel", "step=6", "--reduce", f"member={statistic}", "--allow", run, "-o", path)
        with xr.open_dataset(path) as ds:
            np.testing.assert_allclose(ds.tp.values[0], expected, rtol=1e-6, atol=1e-6)
            assert ds.member_count.values.tolist() == [3]


def test_a_zarr_store_opens_in_xarray(run, store, tmp_path):
    path = tmp_path / "rain.zarr"
    gik("read", store, "tp", "--bbox", BOX, "--accumulate", "24h", "--allow", run, "-o", path)
    ds = xr.open_zarr(path)
    assert ds.tp.shape == (3, 1, 141, 129)
    assert ds.latitude.values[0] == 23 and ds.longitude.values[-1] == 53
    assert ds.valid_time.values[0] == np.datetime64("2025-01-07T00")
    assert not np.isnan(ds.tp.values).any()


def test_longitudes_are_monotonic_across_the_date_line(run, store, tmp_path):
    path = tmp_path / "pacific.nc"
    gik("read", store, "t2m", "--sel", "step=6", "--bbox", "170,-20,-170,0", "--allow", run, "-o", path)
    with xr.open_dataset(path) as ds:
        assert ds.longitude.values[0] == 170 and ds.longitude.values[-1] == 190
        assert ds.indexes["longitude"].is_monotonic_increasing
        assert ds.t2m.sel(longitude=180.25, method="nearest").shape
