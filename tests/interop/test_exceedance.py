"""Probabilities and totals against NumPy over what ecCodes decodes."""

import json
import os
import subprocess

import eccodes
import numpy as np
import pytest
import xarray as xr

from conftest import build, gik, messages, turned

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
    window = {"start": 0, "end": 24, "members": 3, "members_fewest": 3, "clipped": 0}
    assert report["complete"] and report["windows"] == [window]
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


@pytest.mark.parametrize("lost", [None, (2, 24)])
def test_probabilities_of_the_ecmwf_ensemble_equal_numpy_over_eccodes(tmp_path, lost):
    """Totals since the start in metres, a file a step for all members, one of which lacks a message."""
    bucket, store, path = tmp_path / "bucket", tmp_path / "store", tmp_path / "p.nc"
    arguments = ["--run", "2026-02-05T00", "--members", "0-4", "--steps", "0-30", "--messages", "tp"]
    subprocess.run([os.environ["GIK_GENERATE_ECMWF"], bucket, *arguments], check=True, timeout=300)
    # As ecCodes decodes them, to the single precision of the store.
    totals = {}
    for file in sorted(bucket.rglob("*.grib2")):
        with file.open("rb") as stream:
            while (handle := eccodes.codes_grib_new_from_file(stream)) is not None:
                number = eccodes.codes_get(handle, "number") if eccodes.codes_is_defined(handle, "number") else 0
                shape = eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni")
                key = number, eccodes.codes_get(handle, "endStep")
                totals[key] = eccodes.codes_get_values(handle).reshape(shape).astype("float32")
                eccodes.codes_release(handle)
    members, steps = range(5), range(0, 31, 3)
    assert set(totals) == {(member, step) for member in members for step in steps}
    if lost:
        (index,) = bucket.rglob(f"*-{lost[1]}h-enfo-ef.index")
        lines = index.read_text().splitlines()
        kept = [line for line in lines if json.loads(line).get("number") != str(lost[0])]
        assert len(kept) == len(lines) - 1
        index.write_text("\n".join(kept) + "\n")
        del totals[lost]
    options = ["--product", "enfo", "--members", "0-4", "--steps", "0-30", "--variables", "tp", "--index-only"]
    code = 3 if lost else 0
    build(bucket, store, *options, run="2026-02-05T00", model="ecmwf", code=code)

    thresholds = [0.5, 2.0, 5.0]
    wanted = ",".join(map(str, thresholds))
    options = ["--sliding", "--thresholds", wanted, "--allow", bucket, "-o", path, "--json"]
    report = json.loads(gik("exceedance", store, *options, code=code))
    windows = [(end - 24, end) for end in steps if end >= 24]
    used = [[it for it in members if {(it, start), (it, end)} <= set(totals)] for start, end in windows]
    assert [len(it) for it in used] == ([4, 5, 5] if lost else [5, 5, 5])
    assert [(it["start"], it["end"], it["members"]) for it in report["windows"]] == [
        (*window, len(it)) for window, it in zip(windows, used)
    ]
    assert report["complete"] is (lost is None) and report["messages_missing"] == (1 if lost else 0)
    seen = set()
    with xr.open_dataset(path) as ds:
        assert ds.member_count.values.tolist() == [len(it) for it in used]
        assert ds.member_count_fewest.values.tolist() == [len(it) for it in used]
        for number, ((start, end), those) in enumerate(zip(windows, used)):
            rain = [
                # The difference of what a store holds, then millimetres, then single precision.
                ((totals[member, end].astype("float64") - totals[member, start]) * 1000).astype("float32")
                for member in those
            ]
            rain = np.maximum(np.array(rain), np.float32(0))
            for at, threshold in enumerate(thresholds):
                count = (rain >= np.float32(threshold)).sum(axis=0)
                expected = (count * 100.0 / len(those)).astype("float32")
                np.testing.assert_array_equal(ds.tp_probability.values[number, at], expected)
                seen |= set(np.unique(count))
    assert len(seen) > 2, "a test of nothing"
