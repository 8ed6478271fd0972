"""Virtual Zarr stores of weather forecasts: a fast GRIB codec, building and reading."""

from gik._gik import __version__
from gik.parsers import ECMWFParser, GEFSParser, HRRRParser, IncompleteWarning

__all__ = ["ECMWFParser", "GEFSParser", "HRRRParser", "IncompleteWarning", "__version__"]
