"""The package as it is installed."""

import importlib.metadata

import gik


def test_version():
    assert gik.__version__ == importlib.metadata.version("gik")
