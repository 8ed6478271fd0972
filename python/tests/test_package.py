"""The package as it is installed."""

import importlib.metadata
import pathlib
import subprocess
import sys

import gik

TESTS = pathlib.Path(__file__).parent


def test_version():
    assert gik.__version__ == importlib.metadata.version("gik")


def test_types():
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", "-p", "gik", "-m", "typed_example"]
    checked = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_everything_public_is_documented():
    for name in gik.__all__:
        if not name.startswith("__"):
            assert getattr(gik, name).__doc__, name
