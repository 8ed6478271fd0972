"""Virtual Zarr stores of weather forecasts: a fast GRIB codec, building and reading.

- `build`, `update`, `backfill` make stores from the index files of GEFS, ECMWF and HRRR; `validate`
  checks one.
- `open` opens one as an `xarray.Dataset`, `exceedance` maps how probable amounts of rain are.
- `GEFSParser`, `ECMWFParser`, `HRRRParser` are parsers for VirtualiZarr.
- `use_codec` reads any store that names the codec `gribberish` with this package's decoder.
- `errors` has what can be raised.
"""

from gik._gik import __version__
from gik.codec import ECMWFCodec, GEFSCodec, GribberishCodec, HRRRCodec, use_codec
from gik.errors import (
    AccessError,
    ArgumentError,
    Error,
    GribError,
    IncompleteWarning,
    InputOutputError,
    MismatchError,
    NotFoundError,
)
from gik.maps import exceedance
from gik.parsers import ECMWFParser, GEFSParser, HRRRParser
from gik.reading import open, repository
from gik.runs import backfill, build, update, validate

__all__ = [
    "AccessError",
    "ArgumentError",
    "ECMWFCodec",
    "ECMWFParser",
    "Error",
    "GEFSCodec",
    "GEFSParser",
    "GribError",
    "GribberishCodec",
    "HRRRCodec",
    "HRRRParser",
    "IncompleteWarning",
    "InputOutputError",
    "MismatchError",
    "NotFoundError",
    "__version__",
    "backfill",
    "build",
    "exceedance",
    "open",
    "repository",
    "update",
    "use_codec",
    "validate",
]
