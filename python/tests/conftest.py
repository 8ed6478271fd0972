"""Small generated runs, and their stores."""

import os
import pathlib
import subprocess

import pytest

import gik

MESSAGES = pathlib.Path(__file__).parents[2] / "crates/gik-codec/tests/fixtures"


def generate(folder, *arguments, generator="GIK_GENERATE"):
    subprocess.run([os.environ[generator], folder, *map(str, arguments)], check=True, timeout=300, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A GEFS run as on the bucket: three members, 0 to 24 h, rain and temperature."""
    folder = tmp_path_factory.mktemp("gefs") / "with space"
    return generate(folder, "--members", "0-2", "--steps", "0-24", "--messages", "tp,t2m")


@pytest.fixture(scope="session")
def subset():
    return {"members": range(3), "steps": "0-24", "variables": ["tp", "t2m"]}


@pytest.fixture(scope="session")
def store(run, subset, tmp_path_factory):
    store = tmp_path_factory.mktemp("stores") / "forecast"
    report = gik.build("gefs", "2025-01-06T00", store, source=run, **subset)
    assert report["complete"] and report["references"]["written"] == 51
    return store
