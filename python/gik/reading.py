"""Stores as datasets."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gik import _gik
from gik.arguments import Place, place_list, place_text
from gik.codec import use_codec
from gik.errors import ArgumentError

if TYPE_CHECKING:
    import icechunk
    import xarray as xr

__all__ = ["open", "repository"]

_GRID = ("latitude", "longitude", "y", "x")

_AUTO = "by message"


def open(
    store: Place,
    *,
    at: str | None = None,
    allow: Place | Iterable[Place] = (),
    chunks: Mapping[str, int] | int | str | None = _AUTO,
    **options: Any,
) -> xr.Dataset:
    """Opens a store as a dataset: `gik.open("gefs-2025010600").tp.sel(member=1, step="24h")`.

    References are read only in the models' public buckets and in what `allow` names. Messages
    are decoded by this package's codec. While the store is being opened, other threads of the
    process get this codec as well: see `use_codec`.

    Args:
        store: A path, `file://` or `s3://` (endpoint, region and credentials from the usual AWS
            variables).
        at: An earlier state: a tag, the id of a commit, or a time in UTC like 2025-01-06T12.
        allow: Places that references may be read from, beside the models' public buckets: the
            folder or url that the store was built from with `source`.
        chunks: How many messages a Dask task reads, by dimension. Without it ten steps of one member,
            `{"member": 1, "step": 10}`, each with its whole grid; a level each. None reads without Dask.
        options: Passed on to `xarray.open_zarr`.

    Returns:
        Arrays `(time, member, step, [level], latitude|y, longitude|x)`; what no message fills is NaN.

    Raises:
        NotFoundError: When there is no store.
        ArgumentError: When there is no such state or place.
    """
    import xarray as xr

    session = _session(store, at, allow)
    options = {"consolidated": False, "zarr_format": 3, **options}
    with use_codec():
        dataset: xr.Dataset = xr.open_zarr(session.store, chunks=None, **options)
        if chunks is None:
            return dataset
        if isinstance(chunks, Mapping) and (unknown := set(chunks) - set(dataset.dims)):
            there = ", ".join(map(str, dataset.dims))
            raise ArgumentError(f"chunks {sorted(unknown)}: are no dimensions; there are {there}")
        by_message: Any = _by_message(dataset) if chunks == _AUTO else chunks
        with warnings.catch_warnings():
            # Of data a chunk is one message; this is about coordinates, each a chunk as a whole.
            warnings.filterwarnings("ignore", message="The specified chunks separate", category=UserWarning)
            lazy: xr.Dataset = xr.open_zarr(session.store, chunks=by_message, **options)
            return lazy


def _by_message(dataset: xr.Dataset) -> dict[str, int]:
    """Ten steps of one member and level: tasks of about a second, and no message in two of them."""
    steps = "step" if "step" in dataset.dims else "time"
    sizes = {str(name): size for name, size in dataset.sizes.items()}
    return {
        name: size if name in _GRID else min(size, 10) if name == steps else 1
        for name, size in sizes.items()
    }


def repository(store: Place, *, at: str | None = None, allow: Place | Iterable[Place] = ()) -> icechunk.Repository:
    """The store's Icechunk repository, with the models' public buckets and `allow` authorised."""
    return _repository(json.loads(_gik.resolve(place_text(store), at, place_list(allow))))


def _session(store: Place, at: str | None, allow: Place | Iterable[Place]) -> icechunk.Session:
    resolved = json.loads(_gik.resolve(place_text(store), at, place_list(allow)))
    return _repository(resolved).readonly_session(snapshot_id=resolved["snapshot"])


def _repository(resolved: dict[str, Any]) -> icechunk.Repository:
    import icechunk

    place = resolved["place"]
    if "folder" in place:
        storage = icechunk.local_filesystem_storage(place["folder"])
    else:
        endpoint = place["endpoint"]
        storage = icechunk.s3_storage(
            bucket=place["bucket"],
            prefix=place["prefix"],
            region=place["region"],
            endpoint_url=endpoint,
            allow_http=endpoint is not None and endpoint.startswith("http://"),
            force_path_style=endpoint is not None,
            anonymous=place["anonymous"] or None,
            from_env=None if place["anonymous"] else True,
        )
    access: dict[str, Any] = {
        "local": icechunk.credentials.LocalFileSystemAccess,
        "http": icechunk.credentials.HttpAccess,
        "anonymous": icechunk.s3_anonymous_credentials(),
        "credentials": icechunk.s3_from_env_credentials(),
    }
    containers = icechunk.containers_credentials(
        {it["prefix"]: access[it["access"]] for it in resolved["containers"]}
    )
    return icechunk.Repository.open(storage, authorize_virtual_chunk_access=containers)
