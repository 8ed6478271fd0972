"""Stores that GribberishParser, VirtualiZarr and Icechunk write, read by `gik read`."""

import json
import pathlib
import shutil

import icechunk
import numpy as np
import pytest
import xarray as xr
from gribberish.virtualizarr import GribberishParser
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_datatree, open_virtual_mfdataset

from conftest import gik, messages, turned

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
