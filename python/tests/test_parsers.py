"""The VirtualiZarr parsers: references, structure, and what VirtualiZarr makes of them."""

import json
import pickle
import subprocess
import sys

import icechunk
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from runs import FOLDERS, RUNS, generate, messages
from virtualizarr import open_virtual_dataset, open_virtual_mfdataset
from virtualizarr.manifests import ManifestStore
from virtualizarr.parsers import IcechunkParser
from virtualizarr.parsers.typing import Parser

import gik

PARSERS = {"gefs": gik.GEFSParser, "ecmwf": gik.ECMWFParser, "hrrr": gik.HRRRParser}
REGISTRY = ObjectStoreRegistry({"file://": LocalStore()})


def url_of(folder, *parts):
    return "/".join([folder.as_uri(), *(part.strip("/") for part in parts)])


def references(store: ManifestStore):
    """Where each virtual chunk of a store lies: url, offset, length."""
    found = {}
    for name, array in store._group.arrays.items():
        for key, entry in array.manifest.dict().items():
            if "data" not in entry and entry["path"]:
                found[name, key] = entry["path"], int(entry["offset"]), int(entry["length"])
    return found


def new_repository(folder, prefix):
    """An empty repository whose references may reach ``prefix``."""
    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(
        icechunk.VirtualChunkContainer(prefix, icechunk.local_filesystem_store(prefix.removeprefix("file://")))
    )
    access = {prefix: icechunk.credentials.LocalFileSystemAccess}
    storage = icechunk.local_filesystem_storage(str(folder))
    return icechunk.Repository.create(storage, config, authorize_virtual_chunk_access=access)


def read_back(repository):
    return xr.open_zarr(repository.readonly_session("main").store, consolidated=False)


@pytest.fixture(scope="module")
def gefs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gefs")
    return generate("gefs", folder, "--members", "0-2", "--steps", "0-12", "--messages", "tp,t2m", "--coarse")


@pytest.fixture(scope="module")
def gefs_dataset(gefs):
    parser = gik.GEFSParser(ensemble_members="0-2", steps="0-12", variables="tp,t2m")
    return open_virtual_dataset(url_of(gefs, FOLDERS["gefs"]), REGISTRY, parser)


def test_they_follow_the_protocol():
    for parser in PARSERS.values():
        assert isinstance(parser(), Parser)
        assert pickle.loads(pickle.dumps(parser(variables=["tp"]))) == parser(variables="tp")
    assert gik.GEFSParser(steps=range(0, 7, 3), ensemble_members=np.arange(2)).steps == "0,3,6"
    assert "ensemble_members" in gik.GEFSParser.__doc__ and "variables" in gik.HRRRParser.__doc__


CASES = {
    "gefs": (FOLDERS["gefs"], {"ensemble_members": "0-4", "steps": "0-24"}, {"members": "0-4", "steps": "0-24"}),
    "ecmwf": (FOLDERS["ecmwf"], {"ensemble_members": "0-3", "steps": "0-6"}, {"members": "0-3", "steps": "0-6"}),
    "hrrr": (FOLDERS["hrrr"] + "hrrr.t00z.wrfsfcf00.grib2", {"steps": "0-2"}, {"steps": "0-2"}),
}


@pytest.mark.parametrize("model", CASES)
def test_references_are_those_of_build(model, tmp_path):
    """Of every message of the real files, each with its url, offset and length."""
    place, keywords, selection = CASES[model]
    arguments = ["--members", "0-4", "--steps", "0-24"] if model == "gefs" else ["--steps", "0-6"]
    folder = generate(model, tmp_path / "bucket", *(["--hours", "0-2"] if model == "hrrr" else arguments))
    parsed = PARSERS[model](**keywords)(url_of(folder, place), REGISTRY)
    report = gik.build(model, RUNS[model], tmp_path / "store", source=folder, **selection)
    repository = icechunk.Repository.open(icechunk.local_filesystem_storage(str(tmp_path / "store")))
    session = repository.readonly_session("main")
    built = IcechunkParser().parse_session(session, REGISTRY, native_chunks_prefix="file:///native")
    container = f"vcc://{model}/"
    expected = {
        key: (path.replace(container, f"{folder.as_uri()}/"), offset, length)
        for key, (path, offset, length) in references(built).items()
        if not path.startswith("file:///native")
    }
    assert references(parsed) == expected
    assert len(expected) == report["references"]["written"] > 400
    theirs, ours = built._group.arrays, parsed._group.arrays
    assert set(theirs) == set(ours)
    for name, array in ours.items():
        assert array.shape == theirs[name].shape and array.metadata.codecs == theirs[name].metadata.codecs
        assert array.metadata.attributes == theirs[name].metadata.attributes


def test_each_reference_is_the_message_of_its_labels(gefs, gefs_dataset):
    """What ecCodes finds in the files, independent of any index."""
    store = gik.GEFSParser(ensemble_members="0-2", steps="0-12", variables=["tp", "t2m"])(
        url_of(gefs, FOLDERS["gefs"]), REGISTRY
    )
    expected = {}
    for file in gefs.rglob("*.f0??"):
        for keys, _ in messages(file):
            name = {"2t": "t2m"}.get(keys["shortName"], keys["shortName"])
            place = f"0.{keys['member']}.{keys['endStep'] // 3}.0.0"
            expected[name, place] = file.as_uri(), keys["offset"], keys["totalLength"]
    assert references(store) == expected and len(expected) == 3 * (5 + 4)


def test_the_virtual_dataset(gefs_dataset):
    assert dict(gefs_dataset.sizes) == {"time": 1, "member": 3, "step": 5, "latitude": 721, "longitude": 1440}
    assert set(gefs_dataset.data_vars) == {"tp", "t2m"}
    assert "valid_time" in gefs_dataset.coords
    assert (gefs_dataset.step.values == pd.timedelta_range("0h", "12h", freq="3h")).all()
    assert gefs_dataset.tp.attrs["units"] == "kg m-2" and gefs_dataset.tp.dtype == np.float32


def test_to_icechunk_and_back(gefs, gefs_dataset, tmp_path):
    repository = new_repository(tmp_path / "store", f"{gefs.as_uri()}/")
    session = repository.writable_session("main")
    gefs_dataset.vz.to_icechunk(session.store)
    session.commit("a run")
    dataset = read_back(repository)
    assert (dataset.valid_time.values == dataset.time.values[:, None] + dataset.step.values).all()
    assert dataset.tp.attrs["cell_methods"].startswith("step: sum")
    for file in gefs.rglob("*.f0??"):
        for keys, values in messages(file):
            name = {"2t": "t2m"}.get(keys["shortName"], keys["shortName"])
            place = {"member": keys["member"], "step": f"{keys['endStep']}h"}
            np.testing.assert_array_equal(dataset[name].isel(time=0).sel(place).values, values)
    assert np.isnan(dataset.tp.isel(step=0)).all()


def test_runs_are_appended(gefs, gefs_dataset, tmp_path):
    generate("gefs", gefs, "--hour", "6", "--members", "0-2", "--steps", "0-12", "--messages", "t2m", "--coarse")
    parser = gik.GEFSParser(ensemble_members="0-2", steps="0-12", variables="t2m")
    later = open_virtual_dataset(url_of(gefs, "gefs.20250106/06/"), REGISTRY, parser)
    repository = new_repository(tmp_path / "store", f"{gefs.as_uri()}/")
    for dataset, how in ((gefs_dataset[["t2m"]], {}), (later, {"append_dim": "time"})):
        session = repository.writable_session("main")
        dataset.vz.to_icechunk(session.store, **how)
        session.commit("a run")
    dataset = read_back(repository)
    assert (dataset.time.values == np.array(["2025-01-06T00", "2025-01-06T06"], "datetime64[ns]")).all()
    assert (dataset.valid_time.values == dataset.time.values[:, None] + dataset.step.values).all()
    file = gefs / "gefs.20250106/06/atmos/pgrb2sp25/gep02.t06z.pgrb2s.0p25.f009"
    ((_, values),) = messages(file)
    np.testing.assert_array_equal(dataset.t2m.isel(time=1).sel(member=2, step="9h").values, values)


def test_many_files_are_combined(gefs, gefs_dataset):
    """File by file, as VirtualiZarr's users do: the same references as of the whole run."""
    folder = url_of(gefs, FOLDERS["gefs"], "atmos/pgrb2sp25")
    names = ["gec00", "gep01", "gep02"]
    urls = [[f"{folder}/{name}.t00z.pgrb2s.0p25.f{step:03}" for step in range(0, 13, 3)] for name in names]
    combined = open_virtual_mfdataset(
        urls,
        registry=REGISTRY,
        parser=gik.GEFSParser(variables=["t2m"]),
        combine="nested",
        concat_dim=["member", "step"],
        coords="minimal",
        compat="override",
    )
    whole, parts = gefs_dataset.t2m.data.manifest, combined.t2m.data.manifest
    assert whole.dict() == parts.dict() and len(whole.dict()) == 15
    assert combined.indexes["step"].equals(gefs_dataset.indexes["step"])


def test_to_kerchunk(gefs, gefs_dataset, tmp_path):
    """Format 3 keeps the codec; VirtualiZarr's format 2 has no place for one that makes bytes arrays."""
    path = tmp_path / "refs.json"
    gefs_dataset.vz.to_kerchunk(str(path), format="json", zarr_format=3)
    refs = json.loads(path.read_text())["refs"]
    url, offset, length = refs["tp/c/0/1/2/0/0"]
    with open(url.removeprefix("file://"), "rb") as file:
        file.seek(offset)
        message = file.read(length)
    assert message.startswith(b"GRIB") and message.endswith(b"7777")
    assert "tp/c/0/1/0/0/0" not in refs
    codecs = json.loads(refs["tp/zarr.json"])["codecs"]
    assert codecs == [{"name": "gribberish", "configuration": {"var": "tp", "adjust_longitude_range": True}}]
    dataset = xr.open_dataset(
        "reference://",
        engine="zarr",
        backend_kwargs={"consolidated": False, "zarr_format": 3, "storage_options": {"fo": str(path)}},
    )
    file = gefs / FOLDERS["gefs"] / "atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f006"
    expected = {keys["shortName"]: values for keys, values in messages(file)}
    np.testing.assert_array_equal(dataset.tp.isel(time=0).sel(member=1, step="6h").values, expected["tp"])


def test_keywords(gefs):
    url = url_of(gefs, FOLDERS["gefs"])
    parser = gik.GEFSParser(
        ensemble_members=[2], steps=[3, 6], variables=["tp"], layout="run", codec="model", data_type="float64"
    )
    dataset = open_virtual_dataset(url, REGISTRY, parser)
    assert dataset.tp.dims == ("member", "time", "latitude", "longitude") and dataset.tp.dtype == np.float64
    assert (dataset.time.values == np.array(["2025-01-06T03", "2025-01-06T06"], "datetime64[ns]")).all()
    assert dataset.tp.data.metadata.codecs[0].to_dict()["name"] == "gefs_gribberish"
    # A file's url says member and step; keywords ask for others.
    file = f"{url}/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f003"
    assert gik.GEFSParser(variables="tp")(file, REGISTRY)._group.arrays["tp"].shape == (1, 1, 1, 721, 1440)
    more = gik.GEFSParser(variables="tp", steps="3-12")(file, REGISTRY)
    assert more._group.arrays["tp"].shape == (1, 1, 4, 721, 1440)


def test_what_is_missing_is_warned_of(gefs):
    with pytest.warns(gik.IncompleteWarning, match="27 of 57 messages.*f003.idx: 2 of 4"):
        # The files hold two of the variables.
        store = gik.GEFSParser(ensemble_members="0-2", steps="0-12", variables="tp,t2m,sp,prmsl", index_only=True)(
            url_of(gefs, FOLDERS["gefs"]), REGISTRY
        )
    assert store._group.arrays["sp"].shape == store._group.arrays["tp"].shape


def test_wrong_requests_say_what_is_right(gefs):
    url = url_of(gefs, FOLDERS["gefs"])
    with pytest.raises(ValueError, match="is no url of GEFS; they look like s3://noaa-gefs-pds"):
        gik.GEFSParser()("file:///data/x.grib2", REGISTRY)
    with pytest.raises(ValueError, match="is no url"):
        gik.GEFSParser()("/data/gefs.20250106/00", REGISTRY)
    with pytest.raises(ValueError, match="31"):
        gik.GEFSParser(ensemble_members=31)(url, REGISTRY)
    with pytest.raises(ValueError, match="rainfall"):
        gik.GEFSParser(variables=["rainfall"])(url, REGISTRY)
    with pytest.raises(ValueError, match="is none of 'forecast', 'run'"):
        gik.GEFSParser(layout="flat")
    with pytest.raises(TypeError):
        gik.HRRRParser(ensemble_members=[1])
    with pytest.raises(Exception, match="20250107"):
        gik.GEFSParser()(url_of(gefs, "gefs.20250107/00/"), REGISTRY)


def test_ecmwf_and_hrrr_values(tmp_path):
    folder = generate(
        "ecmwf", tmp_path / "ecmwf", "--members", "0-1", "--steps", "3-3", "--messages", "2t,tp"
    )
    parser = gik.ECMWFParser(ensemble_members=[0, 1], steps=3, variables=["t2m", "tp"])
    place = FOLDERS["ecmwf"] + "ifs/0p25/enfo/20260205000000-3h-enfo-ef.grib2"
    check(tmp_path / "ecmwf-store", url_of(folder, place), parser, folder, 4)
    folder = generate("hrrr", tmp_path / "hrrr", "--hours", "2-2", "--messages", "t2m,tp")
    parser = gik.HRRRParser(variables=["t2m", "tp"])
    dataset = check(tmp_path / "hrrr-store", url_of(folder, CASES["hrrr"][0].replace("f00", "f02")), parser, folder, 2)
    assert dataset.latitude.dims == ("y", "x") and abs(float(dataset.latitude[0, 0]) - 21.138123) < 1e-6
    assert dataset.spatial_ref.attrs["grid_mapping_name"] == "lambert_conformal_conic"


def check(path, url, parser, folder, count):
    """Writes a file's virtual dataset and compares each message."""
    repository = new_repository(path, f"{folder.as_uri()}/")
    session = repository.writable_session("main")
    open_virtual_dataset(url, REGISTRY, parser).vz.to_icechunk(session.store)
    session.commit("a file")
    dataset = read_back(repository)
    compared = 0
    for file in folder.rglob("*.grib2"):
        for keys, values in messages(file):
            place = {"member": keys["member"]} if "member" in keys else {}
            name = {"2t": "t2m"}.get(keys["shortName"], keys["shortName"])
            np.testing.assert_array_equal(dataset[name].isel(time=0, step=0).sel(place).values, values)
            compared += 1
    assert compared == count
    return dataset


WITHOUT_GRIBBERISH = """
import importlib.metadata, pathlib, sys
there = importlib.metadata.entry_points
def without(**choice):
    return importlib.metadata.EntryPoints(it for it in there(**choice) if not it.value.startswith("gribberish"))
importlib.metadata.entry_points = without
import gik
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
if sys.argv[2] == "after":
    with gik.use_codec():
        pass
folder = pathlib.Path(sys.argv[1])
parser = gik.GEFSParser(ensemble_members=1, steps=[0, 3], variables=["t2m"])
url = f"file://{folder}/gefs.20250106/00/"
manifests = parser(url, ObjectStoreRegistry({"file://": LocalStore()}))
(codec,) = manifests._group.arrays["t2m"].metadata.codecs
print(type(codec).__module__, codec.to_dict()["name"])
"""


@pytest.mark.parametrize("when", ["first", "after"])
def test_the_stock_codec_need_not_be_installed(gefs, when):
    line = [sys.executable, "-c", WITHOUT_GRIBBERISH, gefs, when]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["gik.codec", "gribberish"], done.stderr


def test_parsers_can_be_keys():
    parsers = {gik.GEFSParser(variables=names): names for names in (["tp"], ["tp", "t2m"], None)}
    assert len(parsers) == 3 and parsers[gik.GEFSParser(variables="tp,t2m")] == ["tp", "t2m"]
