"""Many runs into one store by the workers of a Dask cluster: each task builds its share of them.

    python dask_backfill.py s3://bucket/gefs --first 2024-12-01T00 --last 2024-12-31T18 [--tasks 8]

The store has to be on S3: a local folder takes one writer at a time. Endpoint, region and credentials
come from the usual AWS variables. Interrupted, it goes on where it was when it is run again.
"""

import argparse
from typing import Any

from distributed import Client, LocalCluster

import gik


def fill(shard: str, store: str, first: str, last: str, choice: dict[str, Any]) -> dict[str, Any]:
    """One task: its share of the runs, a commit for several of them."""
    return gik.backfill("gefs", first, last, store, shard=shard, jobs=2, **choice)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--first", required=True)
    parser.add_argument("--last", required=True)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--source", help="a mirror with the bucket's layout instead of NOAA's bucket")
    parser.add_argument("--members")
    parser.add_argument("--steps")
    parser.add_argument("--variables")
    options = parser.parse_args(arguments)
    names = ("source", "members", "steps", "variables")
    choice = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    shards = [f"{number}/{options.tasks}" for number in range(1, options.tasks + 1)]
    with (
        LocalCluster(n_workers=options.tasks, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        tasks = [
            client.submit(fill, shard, options.store, options.first, options.last, choice, pure=False)
            for shard in shards
        ]
        for shard, report in zip(shards, client.gather(tasks), strict=True):
            written = report["references"]["written"]
            print(f"{shard}: {len(report['runs'])} runs, {written} references, complete: {report['complete']}")


if __name__ == "__main__":
    main()
