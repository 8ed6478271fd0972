"""The examples, as people run them."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore, S3Store
from runs import generate, messages
from virtualizarr import open_virtual_dataset
from virtualizarr.parsers import IcechunkParser

import gik

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def example(name, *arguments, **environment):
    """Runs an example as a program of its own; what it printed."""
    process = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
    )
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Three members, 0 to 24 h, rain and temperature."""
    folder = tmp_path_factory.mktemp("mirror")
    return generate("gefs", folder, "--members", "0-2", "--steps", "0-24", "--messages", "tp,t2m")


def test_gefs(tmp_path):
    text = example("run_gefs_icechunk.py", "--store", tmp_path / "store")
    assert text.startswith("85 references") and "missing" not in text
    amounts = re.search(r"wettest point of the mean: ([\d.]+) mm; of any member: ([\d.]+) mm", text)
    assert 0 < float(amounts[1]) < float(amounts[2])


def test_gefs_of_a_mirror(mirror, tmp_path):
    text = example("run_gefs_icechunk.py", "--store", tmp_path / "store", "--source", mirror)
    # Three of the 31 members.
    assert "51 references" in text and "missing: {'missing_file'" in text


def test_ecmwf(tmp_path):
    text = example("run_ecmwf_icechunk.py", "--store", tmp_path / "store")
    assert re.search(r"wettest point of 3 members: [1-9][\d.]* mm", text)
    assert re.search(r"tp +\(time, member, step, latitude, longitude\)", text)


def test_migration(tmp_path):
    """The references of both members, byte by byte those of the old files."""
    text = example("migrate_legacy.py", "--store", tmp_path / "store")
    # 79 of one member; the other lacks a file.
    assert text.startswith("150 references")
    dataset = gik.open(tmp_path / "store")
    assert dataset.member.values.tolist() == [1, 2]
    session = gik.repository(tmp_path / "store").readonly_session("main")
    built = IcechunkParser().parse_session(
        session, ObjectStoreRegistry({"file://": LocalStore()}), native_chunks_prefix="file:///native"
    )
    place = dataset.step.to_index().get_loc(pd.Timedelta("3h"))
    entry = built._group.arrays["tp"].manifest.dict()[f"0.0.{place}.0.0"]
    assert (entry["offset"], entry["length"]) == (25324, 10493)
    assert entry["path"].endswith("gefs.20250106/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f003")


def test_the_notebook(tmp_path):
    notebook = nbformat.read(EXAMPLES / "from_bucket_to_map.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": EXAMPLES}}).execute()
    pictures = [it for cell in notebook.cells for it in cell.get("outputs", []) if "image/png" in it.get("data", {})]
    assert len(pictures) == 2


@pytest.mark.parametrize("codec", ["gribberish", "model"])
def test_dask_exceedance(mirror, tmp_path, codec):
    """Two processes compute what NumPy does, with the codec of either id."""
    store = tmp_path / "store"
    choice = {"members": range(3), "steps": "0-24", "variables": ["tp"]}
    assert gik.build("gefs", "2025-01-06T00", store, source=mirror, codec=codec, **choice)["complete"]
    output = tmp_path / "p.nc"
    arguments = [store, "--allow", mirror, "--threshold", 10, "--workers", 2, "--output", output]
    assert "2 processes" in example("dask_exceedance.py", *arguments)
    days = []
    for name in ("gec00", "gep01", "gep02"):
        fields = [
            values.astype("float64")
            for step in (6, 12, 18, 24)
            for keys, values in messages(next(mirror.glob(f"**/{name}.*.f{step:03}")))
            if keys["shortName"] == "tp"
        ]
        days.append(sum(fields))
    expected = (np.array(days).astype("float32") > 10).mean(axis=0) * 100
    with xr.open_dataset(output) as dataset:
        (probability,) = dataset.data_vars.values()
        np.testing.assert_allclose(probability.values, expected[268:409, 804:933])
        assert probability.max() > 0


@contextlib.contextmanager
def s3(*buckets):
    """An S3 server with these buckets: their folder, and the variables that reach it."""
    server = subprocess.Popen(
        [os.environ["GIK_SERVE_S3"], *buckets], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        root = pathlib.Path(server.stdout.readline().strip())
        lines = iter(lambda: server.stdout.readline().strip(), "")
        yield root, dict(line.split("=", 1) for line in lines)
    finally:
        server.stdin.close()
        server.wait(timeout=60)


def test_dask_backfill(tmp_path, monkeypatch):
    """Three processes fill one store on S3; the files lie on S3 as well."""
    hours = ["0", "6", "12", "18"]
    for hour in hours:
        arguments = ["--members", "0-1", "--steps", "0-6", "--messages", "t2m", "--coarse"]
        generate("gefs", tmp_path / "gefs", "--hour", hour, *arguments)
    with s3("forecasts", "mirror") as (root, variables):
        shutil.copytree(tmp_path / "gefs", root / "mirror", dirs_exist_ok=True)
        choice = ["--members", "0-1", "--steps", "0-6", "--variables", "t2m", "--source", "s3://mirror/"]
        span = ["--first", "2025-01-06T00", "--last", "2025-01-06T18", "--tasks", 3]
        text = example("dask_backfill.py", "s3://forecasts/gefs", *span, *choice, **variables)
        assert text.count("complete: True") == 3
        assert sum(int(it) for it in re.findall(r"(\d+) references", text)) == 4 * 2 * 3
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        dataset = gik.open("s3://forecasts/gefs", allow=["s3://mirror/"])
        assert (dataset.time.values == pd.date_range("2025-01-06T00", periods=4, freq="6h")).all()
        for position, hour in enumerate(hours):
            file = tmp_path / f"gefs/gefs.20250106/{int(hour):02}/atmos/pgrb2sp25/gep01.t{int(hour):02}z.pgrb2s.0p25.f006"
            ((_, values),) = messages(file)
            ours = dataset.t2m.isel(time=position).sel(member=1, step="6h").values
            np.testing.assert_array_equal(ours, values)
        again = example("dask_backfill.py", "s3://forecasts/gefs", *span, *choice, **variables)
        assert re.findall(r"(\d+) references", again) == ["0", "0", "0"]


def test_a_parser_reads_what_the_registry_reaches(tmp_path):
    """Endpoint, region and anonymity are those of the registry's store."""
    arguments = ["--members", "0-0", "--steps", "0-3", "--messages", "t2m", "--coarse"]
    with s3("noaa-gefs-pds") as (root, variables):
        generate("gefs", root / "noaa-gefs-pds", *arguments)
        store = S3Store(
            "noaa-gefs-pds",
            endpoint=variables["AWS_ENDPOINT_URL"],
            region="us-east-1",
            skip_signature=True,
            client_options={"allow_http": True},
        )
        registry = ObjectStoreRegistry({"s3://noaa-gefs-pds": store})
        parser = gik.GEFSParser(ensemble_members=0, steps="0-3", variables="t2m")
        virtual = open_virtual_dataset(
            "s3://noaa-gefs-pds/gefs.20250106/00/",
            registry,
            parser,
            loadable_variables=["t2m", "time", "step", "member", "valid_time", "latitude", "longitude"],
        )
        file = root / "noaa-gefs-pds/gefs.20250106/00/atmos/pgrb2sp25/gec00.t00z.pgrb2s.0p25.f003"
        ((_, values),) = messages(file)
        np.testing.assert_array_equal(virtual.t2m.isel(time=0).sel(member=0, step="3h").values, values)
        named = S3Store("noaa-gefs-pds", access_key_id="a", secret_access_key="b", region="us-east-1")
        with pytest.raises(gik.ArgumentError, match="AWS_ACCESS_KEY_ID"):
            parser("s3://noaa-gefs-pds/gefs.20250106/00/", ObjectStoreRegistry({"s3://noaa-gefs-pds": named}))
