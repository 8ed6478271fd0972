"""Virtual Zarr stores of weather forecasts: a fast GRIB codec, building and reading."""

from gik._gik import __version__

__all__ = ["__version__"]
