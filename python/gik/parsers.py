"""VirtualiZarr parsers: a forecast run from its index files, as a virtual dataset.

A parser takes the url of a run's folder or of one of its files, in the layout of the model's
bucket, and gives a ``virtualizarr.manifests.ManifestStore``. No GRIB byte is read where the
indexes are right.

>>> from obspec_utils.registry import ObjectStoreRegistry
>>> from obstore.store import S3Store
>>> from virtualizarr import open_virtual_dataset
>>> bucket = S3Store("noaa-gefs-pds", region="us-east-1", skip_signature=True)  # doctest: +SKIP
>>> vds = open_virtual_dataset(  # doctest: +SKIP
...     url="s3://noaa-gefs-pds/gefs.20250106/00/",
...     registry=ObjectStoreRegistry({"s3://noaa-gefs-pds": bucket}),
...     parser=gik.GEFSParser(ensemble_members="0-10", variables=["tp", "t2m"]),
... )
"""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gik import _gik
from gik.arguments import Names, Numbers, Place, name_list, numbers_text, place_text
from gik.codec import use_codec
from gik.errors import ArgumentError, IncompleteWarning

if TYPE_CHECKING:
    from obspec_utils.registry import ObjectStoreRegistry
    from virtualizarr.manifests import ManifestArray, ManifestStore

type _Columns = tuple[str, bytes, bytes, bytes, list[tuple[int, bytes]]]


@dataclass(frozen=True, kw_only=True)
class _Parser:
    """What the parsers have in common.

    Parameters
    ----------
    product
        The product's id, where the url does not say it; the model's first for none.
    steps
        Forecast steps in hours (minutes for sub-hourly products): ``"0-240"``, ``range(0, 25, 3)``.
        All for none; of a file's url, the file's.
    variables
        Array names: ``["tp", "t2m"]``. All for none.
    layout
        ``"forecast"``: dimensions ``(time, [member], step, [level], latitude|y, longitude|x)``,
        ``time`` the reference time. ``"run"``: ``([member], time, …)``, ``time`` the valid time.
    codec
        ``"gribberish"``, or ``"model"`` for the model's own codec id.
    data_type
        Of the data arrays.
    index
        Whether indexes are read; without them the headers of all files are.
    index_only
        Read no byte of a data file, also where its index is missing or wrong.
    """

    model: ClassVar[str]

    product: str | None = None
    steps: Numbers | None = None
    variables: Names | None = None
    layout: Literal["forecast", "run"] = "forecast"
    codec: Literal["gribberish", "model"] = "gribberish"
    data_type: Literal["float32", "float64"] = "float32"
    index: bool = True
    index_only: bool = False

    def __post_init__(self) -> None:
        _one_of("layout", self.layout, ("forecast", "run"))
        _one_of("codec", self.codec, ("gribberish", "model"))
        _one_of("data_type", self.data_type, ("float32", "float64"))
        if self.index_only and not self.index:
            raise ArgumentError("index_only: cannot be used with index=False")
        # Ranges and generators are read once, and parsers are sent to other processes.
        object.__setattr__(self, "steps", numbers_text(self.steps, "steps"))
        names = name_list(self.variables)
        object.__setattr__(self, "variables", None if names is None else tuple(names))

    def __call__(self, url: Place, registry: ObjectStoreRegistry[Any]) -> ManifestStore:
        """The manifests of the run or file at ``url``.

        Indexes are read by this package; from the registry's store come endpoint and region of a
        bucket, and all reading of data afterwards. What is missing is warned of.

        Raises
        ------
        ArgumentError
            When ``url`` is not of the model's layout, or a keyword is not the product's.
        Error
            When no file of it can be used (see ``Error.report``).
        """
        try:
            from virtualizarr.manifests import ManifestGroup, ManifestStore
        except ImportError as error:
            raise ImportError("parsers need VirtualiZarr: pip install 'gik[virtualizarr]'") from error

        url = place_text(url)
        request: dict[str, Any] = {
            "model": self.model,
            "url": url,
            "product": self.product,
            "members": None,
            "steps": self.steps,
            "variables": self.variables,
            "layout": self.layout,
            "codec": self.codec,
            "data_type": self.data_type,
            "headers": "never" if self.index_only else "where needed" if self.index else "always",
        }
        parsed = _gik.parse(request | _reached(registry, url) | self._of_members())
        _warn(url, json.loads(parsed["report"]))
        # Position 0 is that of chunks which are not there.
        urls = np.array(["", *parsed["urls"]], dtype=np.dtypes.StringDType())
        arrays = {name: _array(urls, columns) for name, columns in parsed["arrays"]}
        attributes = json.loads(parsed["attributes"])
        attributes["coordinates"] = " ".join(parsed["coordinates"])
        return ManifestStore(ManifestGroup(arrays=arrays, attributes=attributes), registry=registry)

    def _of_members(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True)
class _EnsembleParser(_Parser):
    __doc__ = f"""{_Parser.__doc__}
    ensemble_members
        Members, the control 0: ``"0-10"``, ``[0, 3]``. All for none; of a member's file, its own.
    """

    ensemble_members: Numbers | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "ensemble_members", numbers_text(self.ensemble_members, "ensemble_members"))

    def _of_members(self) -> dict[str, Any]:
        return {"members": self.ensemble_members}


class GEFSParser(_EnsembleParser):
    """Parses NOAA's GEFS: ``s3://noaa-gefs-pds/gefs.20250106/00/``, a product's folder, or a file."""

    __doc__ += _EnsembleParser.__doc__ or ""
    model = "gefs"


class ECMWFParser(_EnsembleParser):
    """Parses ECMWF's open data: ``s3://ecmwf-forecasts/20260205/00z/``, a product's folder, or a file."""

    __doc__ += _EnsembleParser.__doc__ or ""
    model = "ecmwf"


class HRRRParser(_Parser):
    """Parses NOAA's HRRR: ``s3://noaa-hrrr-bdp-pds/hrrr.20250801/conus/hrrr.t00z.wrfsfcf08.grib2``.

    A folder has the files of all cycles of a day: the url is that of a file, which says cycle and
    product, and ``steps="0-18"`` asks for more steps than the file's.
    """

    __doc__ += _Parser.__doc__ or ""
    model = "hrrr"


def _one_of(keyword: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ArgumentError(f"{keyword}={value!r}: is none of {', '.join(map(repr, known))}")


def _reached(registry: ObjectStoreRegistry[Any], url: str) -> dict[str, Any]:
    """How the registry's bucket is reached."""
    reached: dict[str, Any] = {"endpoint": None, "region": None, "anonymous": None}
    if not url.startswith("s3://"):
        return reached
    try:
        store, _ = registry.resolve(url)
    except ValueError:
        # None is registered: the usual variables say it, and data cannot be read later.
        return reached
    config = dict(getattr(store, "config", None) or {})
    key = config.get("access_key_id")
    if key is not None and key != os.environ.get("AWS_ACCESS_KEY_ID"):
        raise ArgumentError(
            f"the registry's store for {url} names an access key; indexes are read with that of the "
            "usual variables: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
        )
    reached["endpoint"], reached["region"] = config.get("endpoint"), config.get("region")
    if "skip_signature" in config:
        reached["anonymous"] = str(config["skip_signature"]).lower() in ("true", "1")
    return reached


def _warn(url: str, report: dict[str, Any]) -> None:
    if report["complete"]:
        return
    files, references = report["files"], report["references"]
    texts = [f"{it['url']}: {it['text']}" for it in report["diagnostics"]]
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    warnings.warn(
        f"{url} is incomplete: {references['found']} of {references['expected']} messages, "
        f"{files['used']} of {files['expected']} files; {'; '.join(texts[:3])}{more}",
        IncompleteWarning,
        stacklevel=3,
    )


def _array(urls: np.ndarray[Any, Any], columns: _Columns) -> ManifestArray:
    """An array from its columns; the buffers are taken over as they are."""
    from virtualizarr.manifests import ChunkManifest, ManifestArray
    from virtualizarr.manifests.manifest import INLINED_CHUNK_PATH
    from zarr.core.metadata.v3 import ArrayV3Metadata
    from zarr.core.config import BadConfigError
    from zarr.errors import UnknownCodecError

    text, objects, offsets, lengths, inline = columns
    document = json.loads(text)
    chunk_shape = document["chunk_grid"]["configuration"]["chunk_shape"]
    grid = tuple(-(-length // chunk) for length, chunk in zip(document["shape"], chunk_shape, strict=True))
    paths = urls[np.frombuffer(objects, np.uint32)].reshape(grid)
    bytes_of = {tuple(int(i) for i in np.unravel_index(at, grid)) if grid else (): data for at, data in inline}
    if bytes_of:
        sizes = np.frombuffer(lengths, np.uint64).reshape(grid).copy()
        for place, data in bytes_of.items():
            paths[place], sizes[place] = INLINED_CHUNK_PATH, len(data)
    else:
        sizes = np.frombuffer(lengths, np.uint64).reshape(grid)
    try:
        metadata = ArrayV3Metadata.from_dict(document)
    except (UnknownCodecError, BadConfigError):
        # The stock codec is not installed.
        with use_codec():
            metadata = ArrayV3Metadata.from_dict(document)
    manifest = ChunkManifest.from_arrays(
        paths=paths,
        offsets=np.frombuffer(offsets, np.uint64).reshape(grid),
        lengths=sizes,
        validate_paths=False,
        inlined=bytes_of or None,
    )
    return ManifestArray(metadata=metadata, chunkmanifest=manifest)
