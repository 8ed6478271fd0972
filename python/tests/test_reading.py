"""Stores as datasets, and the probabilities of rain."""

import pickle

import icechunk
import numpy as np
import pytest
import xarray as xr
import zarr
from test_codec import decoded_by_eccodes

import gik

EAST_AFRICA = {"latitude": slice(23, -12), "longitude": slice(21, 53)}


def message_at(run, member, step, index):
    name = f"ge{'c00' if member == 0 else f'p{member:02}'}.t00z.pgrb2s.0p25.f{step:03}"
    data = (run / "gefs.20250106/00/atmos/pgrb2sp25" / name).read_bytes()
    starts = [0]
    while (end := data.find(b"GRIB", starts[-1] + 4)) > 0:
        starts.append(end)
    return data[starts[index] : (starts + [len(data)])[index + 1]]


def test_values_are_those_of_eccodes(store, run):
    dataset = gik.open(store, allow=run)
    for member, step, name in [(0, 0, "t2m"), (2, 24, "t2m"), (1, 9, "tp")]:
        field = dataset[name].sel(member=member, step=f"{step}h").isel(time=0).values
        candidates = [decoded_by_eccodes(message_at(run, member, step, index)) for index in range(1 if step == 0 else 2)]
        turned = [np.roll(it, it.shape[1] // 2, axis=1).astype(np.float32) for it in candidates]
        assert any(np.array_equal(field, it, equal_nan=True) for it in turned)


def test_what_it_is_like(store, run):
    dataset = gik.open(store, allow=run)
    assert dataset.tp.dims == ("time", "member", "step", "latitude", "longitude")
    assert dataset.tp.data.chunksize == (1, 1, 9, 721, 1440)
    assert dataset.step.dtype == np.dtype("timedelta64[ns]") and dataset.time.dtype.kind == "M"
    assert gik.open(store, allow=run, chunks={"member": 3, "step": 3}).tp.data.chunksize[:3] == (1, 3, 3)
    assert not gik.open(store, allow=run, chunks=None).chunks
    with pytest.raises(gik.ArgumentError, match="'nope'.*there are.*member"):
        gik.open(store, allow=run, chunks={"nope": 3})
    again = pickle.loads(pickle.dumps(dataset))
    assert float(again.t2m[0, 1, 1, 100, 100]) == float(dataset.t2m[0, 1, 1, 100, 100])


def test_only_what_was_allowed_is_read(store):
    dataset = gik.open(store)
    with pytest.raises(icechunk.IcechunkError, match="authorize"):
        dataset.t2m[0, 0, 0, 0, 0].load()
    with pytest.raises(gik.NotFoundError, match="build a store"):
        gik.open("/there/is/none")
    with pytest.raises(gik.ArgumentError):
        gik.open(store, at="no such tag")


def test_an_existing_store_reads_alike_through_our_codec(store, run):
    repository = gik.repository(store, allow=run)

    def opened():
        return xr.open_zarr(repository.readonly_session("main").store, consolidated=False)

    stock = opened()
    with gik.use_codec():
        ours = opened()
    part = {**EAST_AFRICA, "member": 1, "step": slice("6h", "12h")}
    assert np.array_equal(stock.tp.sel(**part).values, ours.tp.sel(**part).values, equal_nan=True)
    xr.testing.assert_identical(stock.coords.to_dataset().load(), ours.coords.to_dataset().load())


def test_a_store_of_the_models_codec_needs_no_opting_in(run, tmp_path):
    subset = {"members": 1, "steps": [0, 3], "variables": "t2m", "source": run}
    for layout in ["forecast", "run"]:
        store = tmp_path / layout
        gik.build("gefs", "2025-01-06T00", store, codec="model", data_type="float64", layout=layout, **subset)
        session = gik.repository(store, allow=run).readonly_session("main")
        assert isinstance(zarr.open_group(session.store, mode="r")["t2m"].metadata.codecs[0], gik.GEFSCodec)
        dataset = xr.open_zarr(session.store, consolidated=False)
        assert dataset.t2m.dtype == np.float64 and np.isfinite(dataset.t2m.values).all()
        assert dataset.t2m.dims[:2] == (("time", "member") if layout == "forecast" else ("member", "time"))
        assert gik.open(store, allow=run).t2m.data.numblocks == (1, 1, 1, 1, 1)[: dataset.t2m.ndim]


def test_probabilities_are_the_shares_of_members(store, run, tmp_path):
    table, picture = tmp_path / "rain.nc", tmp_path / "rain.png"
    told = []
    dataset = gik.exceedance(
        store, allow=run, bbox=(21, -12, 53, 23), thresholds=[1, 5, 25], window="24h", output=[table, picture],
        timezone="Africa/Nairobi", progress=lambda *it: told.append(it),
    )  # fmt: skip
    rain = gik.open(store, allow=run).tp.sel(step=["6h", "12h", "18h", "24h"], **EAST_AFRICA).isel(time=0)
    total = rain.astype("float64").sum("step", skipna=False).astype("float32").load()
    probability = dataset.tp_probability
    assert probability.dims == ("step", "threshold", "latitude", "longitude") and probability.units == "%"
    for position, threshold in enumerate([1, 5, 25]):
        expected = ((total >= threshold).mean("member") * 100).astype("float32")
        assert np.array_equal(probability[0, position].values, expected.values)
    assert 0 < float(probability.max()) <= 100 and dataset.member_count.values.tolist() == [3]
    assert dataset.step.values == np.timedelta64(24, "h") and told[-1][0] == told[-1][1]
    written = xr.open_dataset(table)
    assert np.array_equal(written.tp_probability.values, probability.values)
    assert np.array_equal(written.valid_time.values, dataset.valid_time.values)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_is_missing_is_told(run, tmp_path):
    store = tmp_path / "store"
    gik.build("gefs", "2025-01-06T00", store, source=run, members="0-3", steps="0-24", variables="tp")
    with pytest.warns(gik.IncompleteWarning, match="messages missing, 0 damaged\n.*0–24 h|0 damaged"):
        dataset = gik.exceedance(store, allow=run, bbox="21,-12,53,23", sel={"member": slice(0, 3)})
    assert dataset.member_count.values.tolist() == [3]
    with pytest.raises(gik.ArgumentError, match="memory '1kB'"):
        gik.exceedance(store, allow=run, memory="1kB")
    with pytest.raises(gik.ArgumentError, match="is neither .nc nor .png"):
        gik.exceedance(store, allow=run, output=tmp_path / "rain.csv")
