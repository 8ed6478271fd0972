"""A run of ECMWF's ensemble as a virtual store, through VirtualiZarr: its parser, then Icechunk.

    python run_ecmwf_icechunk.py                       the bundled run: small, synthetic, no network
    python run_ecmwf_icechunk.py --source bucket       ECMWF's public bucket: 51 members, no credentials
    python run_ecmwf_icechunk.py --source /data/ecmwf  a mirror with the bucket's layout

`gik.build` does the same in one call and less time, and records the source's times of modification. A
parser is for those who combine virtual datasets themselves.
"""

import argparse
import pathlib
import tempfile
from typing import Any

import icechunk
import xarray as xr
from demo import demo_run
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore, S3Store
from virtualizarr import open_virtual_dataset

import gik

BUCKET, REGION = "ecmwf-forecasts", "eu-central-1"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="'bucket', or the path of a mirror")
    parser.add_argument("--run", default="20250930/00z", help="the run's folder")
    parser.add_argument("--store", default="ecmwf-example", help="where to write: a path")
    options = parser.parse_args(arguments)
    if options.source == "bucket":
        in_bucket(options.run, options.store)
    elif options.source is not None:
        in_folder(options.run, options.store, pathlib.Path(options.source).resolve(), members=None)
    else:
        with tempfile.TemporaryDirectory() as folder:
            in_folder(options.run, options.store, demo_run("ecmwf", pathlib.Path(folder).resolve()), members="0-2")


def in_bucket(run: str, store: str) -> None:
    url = f"s3://{BUCKET}"
    registry = ObjectStoreRegistry({url: S3Store(BUCKET, region=REGION, skip_signature=True)})
    container = icechunk.VirtualChunkContainer(f"{url}/", icechunk.s3_store(region=REGION, anonymous=True))
    access = icechunk.s3_anonymous_credentials()
    write(run, store, url, registry, container, access, members=None)


def in_folder(run: str, store: str, folder: pathlib.Path, members: str | None) -> None:
    registry = ObjectStoreRegistry({"file://": LocalStore()})
    container = icechunk.VirtualChunkContainer(
        f"{folder.as_uri()}/", icechunk.local_filesystem_store(str(folder))
    )
    access = icechunk.credentials.LocalFileSystemAccess
    write(run, store, folder.as_uri(), registry, container, access, members)


def write(
    run: str,
    store: str,
    place: str,
    registry: ObjectStoreRegistry,
    container: icechunk.VirtualChunkContainer,
    access: Any,
    members: str | None,
) -> None:
    parser = gik.ECMWFParser(ensemble_members=members, steps=[0, 3], variables=["tp", "t2m"])
    virtual = open_virtual_dataset(f"{place}/{run}/", registry, parser)
    print(virtual)

    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(container)
    repository = icechunk.Repository.create(
        icechunk.local_filesystem_storage(store),
        config,
        authorize_virtual_chunk_access=icechunk.containers_credentials({container.url_prefix: access}),
    )
    session = repository.writable_session("main")
    virtual.vz.to_icechunk(session.store)
    session.commit(f"ECMWF {run}")

    # Messages are decoded by this package's codec.
    with gik.use_codec():
        dataset = xr.open_zarr(repository.readonly_session("main").store, consolidated=False)
    # Totals run from the start of the forecast, in metres: the rain between two steps is a difference.
    rain = (dataset.tp.sel(step="3h") * 1000).isel(time=0).sel(latitude=slice(23, -12), longitude=slice(21, 53))
    print(f"rain of 3 hours, wettest point of {rain.sizes['member']} members: {float(rain.max()):.1f} mm")


if __name__ == "__main__":
    main()
