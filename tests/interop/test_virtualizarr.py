"""Stores that others write, read by `gik read`: GribberishParser with VirtualiZarr and Icechunk, and HRRRParser's."""

import json
import pathlib
import shutil

import eccodes
import icechunk
import numpy as np
import pytest
import xarray as xr
from gribberish.virtualizarr import GribberishParser
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_datatree, open_virtual_mfdataset
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from conftest import FIXTURES, gik, messages, turned

REGISTRY = ObjectStoreRegistry({"file://": LocalStore()})


def repository(path, folder):
    """An empty repository whose references may reach ``folder``."""
    prefix = f"{folder.as_uri()}/"
    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(
        icechunk.VirtualChunkContainer(prefix, icechunk.local_filesystem_store(str(folder)))
    )
    return icechunk.Repository.create(icechunk.local_filesystem_storage(str(path)), config)


@pytest.fixture(scope="module")
def mirror(run, tmp_path_factory):
    """The generated run at a path without a space: GribberishParser does not decode urls."""
    return pathlib.Path(shutil.copytree(run, tmp_path_factory.mktemp("mirror") / "gefs"))


def file_of(mirror, member, step):
    return mirror / f"gefs.20250106/00/atmos/pgrb2sp25/gep{member:02}.t00z.pgrb2s.0p25.f{step:03}"


def values_of(file, name):
    (values,) = [values for keys, values in messages(file) if keys["cfVarName"] == name]
    return turned(values).astype(np.float32)


def test_a_combined_dataset_of_gribberish(mirror, tmp_path):
    parser = GribberishParser(
        use_index=".idx", collapse_groups=True, adjust_longitude_range=True, only_variables=["apcp"]
    )
    urls = [[file_of(mirror, member, step).as_uri() for step in (3, 6, 9)] for member in (1, 2)]
    combined = open_virtual_mfdataset(
        urls,
        registry=REGISTRY,
        parser=parser,
        combine="nested",
        concat_dim=["number", "time"],
        coords="minimal",
        compat="override",
    )
    store = repository(tmp_path / "store", mirror)
    session = store.writable_session("main")
    combined.vz.to_icechunk(session.store)
    session.commit("two members, three steps")

    info = json.loads(gik("info", tmp_path / "store", "--json"))
    assert {it["name"]: it["references"] for it in info["variables"]} == {"apcp": 6}
    allow = ["--allow", mirror]
    gik("read", tmp_path / "store", "apcp", *allow, "-o", tmp_path / "apcp.npy")
    expected = [[values_of(file_of(mirror, member, step), "tp") for member in (1, 2)] for step in (3, 6, 9)]
    np.testing.assert_array_equal(np.load(tmp_path / "apcp.npy"), np.array(expected))
    where = ["--sel", "number=2", "--sel", "time=2025-01-06T06", "--bbox", "21,-12,53,23"]
    gik("read", tmp_path / "store", "apcp", *where, *allow, "-o", tmp_path / "apcp.nc")
    with xr.open_dataset(tmp_path / "apcp.nc") as dataset:
        assert dataset.apcp.shape == (141, 129) and dataset.latitude.values[0] == 23
        np.testing.assert_array_equal(dataset.apcp.values, expected[1][1][268:409, 804:933])
    gik("read", tmp_path / "store", "apcp", "--reduce", "number=mean", *allow, "-o", tmp_path / "mean.npy")
    np.testing.assert_allclose(np.load(tmp_path / "mean.npy"), np.array(expected).mean(axis=1), rtol=1e-6)


def test_the_groups_of_gribberish(mirror, tmp_path):
    """Its usual layout: a group for each kind of level and of window, with coordinates of their own."""
    file = file_of(mirror, 1, 6)
    parser = GribberishParser(use_index=".idx", adjust_longitude_range=True)
    tree = open_virtual_datatree(file.as_uri(), registry=REGISTRY, parser=parser)
    store = repository(tmp_path / "store", mirror)
    session = store.writable_session("main")
    tree.vz.to_icechunk(session.store)
    session.commit("a file")
    for name, cf in (("sfc/acc6h/apcp", "tp"), ("hag/instant/tmp", "t2m")):
        where = ["--sel", "number=1", "--sel", "time=2025-01-06T06", "--allow", mirror]
        gik("read", tmp_path / "store", name, *where, "--bbox", "21,-12,53,23", "-o", tmp_path / "it.nc")
        with xr.open_dataset(tmp_path / "it.nc") as dataset:
            ours = dataset[name.rsplit("/", 1)[1]]
            np.testing.assert_array_equal(ours.values, values_of(file, cf)[268:409, 804:933])


def test_the_codec_id_and_layout_of_hrrr_parser(tmp_path):
    """Float64, one flat group, `var` and `steps` in the codec's configuration, nothing else."""
    fixture = FIXTURES / "hrrr.wrfsubhf.sample.grib2"
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / fixture.name
    file.write_bytes(fixture.read_bytes())
    offsets, found = [0], list(messages(fixture))
    with open(fixture, "rb") as opened:
        while (handle := eccodes.codes_grib_new_from_file(opened)) is not None:
            offsets.append(offsets[-1] + eccodes.codes_get(handle, "totalLength"))
            eccodes.codes_release(handle)
    rows, columns = found[0][1].shape
    store = repository(tmp_path / "store", tmp_path / "data")
    session = store.writable_session("main")
    set_text(session.store, "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": {}})
    for position, name in enumerate(("refc_atm", "vbdsf_sfc")):
        # A third step that no message fills.
        array = metadata((1, 2, rows, columns), (1, 1, rows, columns), ["time", "step", "y", "x"], name)
        set_text(session.store, f"{name}/zarr.json", array)
        session.store.set_virtual_ref(
            f"{name}/c/0/0/0/0",
            file.as_uri(),
            offset=offsets[position],
            length=offsets[position + 1] - offsets[position],
        )
    for name in ("latitude", "longitude"):
        set_text(session.store, f"{name}/zarr.json", metadata((rows, columns), (rows, columns), ["y", "x"], name))
        session.store.set_virtual_ref(f"{name}/c/0/0", file.as_uri(), offset=0, length=offsets[1])
    session.commit("a file")
    allow = ["--allow", tmp_path / "data"]
    for name, (_, values) in zip(("refc_atm", "vbdsf_sfc"), found, strict=True):
        gik("read", tmp_path / "store", name, *allow, "-o", tmp_path / "it.npy")
        ours = np.load(tmp_path / "it.npy")
        assert ours.shape == (1, 2, rows, columns) and np.isnan(ours[0, 1]).all()
        np.testing.assert_array_equal(ours[0, 0], values.astype(np.float32))
    gik("read", tmp_path / "store", "refc_atm", "--point", "39.7,-104.9", *allow, "-o", tmp_path / "denver.csv")
    assert len((tmp_path / "denver.csv").read_text().splitlines()) == 3


def metadata(shape, chunks, dimensions, name):
    configuration = {"var": name, "steps": 1}
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "float64",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN",
        "codecs": [{"name": "hrrr_gribberish", "configuration": configuration}],
        "dimension_names": dimensions,
        "attributes": {},
    }


def set_text(store, key, document):
    data = default_buffer_prototype().buffer.from_bytes(json.dumps(document).encode())
    sync(store.set(key, data))
