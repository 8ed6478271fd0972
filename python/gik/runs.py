"""Runs into stores: building, following, filling, checking."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Literal

from gik import _gik
from gik.arguments import (
    Names,
    Numbers,
    Place,
    Span,
    Time,
    name_list,
    numbers_text,
    place_list,
    place_text,
    seconds,
    text,
    time_text,
    whole,
)
from gik.errors import ArgumentError

__all__ = ["backfill", "build", "update", "validate"]

type Progress = Callable[[int, int], object]
"""Is called with the number of things done (files, runs) and their total. What it raises ends the call."""

type Report = dict[str, Any]
"""What the command prints with `--json`."""


def build(
    model: str,
    run: Time,
    store: Place,
    *,
    product: str | None = None,
    members: Numbers | None = None,
    steps: Numbers | None = None,
    variables: Names | None = None,
    source: Place | None = None,
    layout: Literal["forecast", "run"] = "forecast",
    codec: Literal["gribberish", "model"] = "gribberish",
    data_type: Literal["float32", "float64"] = "float32",
    index: bool = True,
    index_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Builds the virtual store of a run, or adds the run to a store. No GRIB data is read.

    Adding a run again fills what was missing. A run with holes is no error: the report says
    `complete: False` and names each file and what is wrong with it.

    Args:
        model: `gefs`, `ecmwf` or `hrrr`.
        run: The initialisation time in UTC.
        store: Where to write: a path, `file://` or `s3://` (endpoint, region and credentials from the
            usual AWS variables).
        product: The product; the model's first one without it.
        members: Member numbers, 0 is the control; all without it.
        steps: Steps in hours (of sub-hourly products in minutes); all of the cycle without it.
        variables: Array names, like `tp,t2m`; all of the product without it.
        source: A mirror with the bucket's layout: a path, `s3://`, `https://` or `http://`. The
            references point there.
        layout: `forecast` is (time, member, step, …) and grows run by run, `run` is
            (member, time, …) with the valid time.
        codec: The codec that the arrays name: `gribberish`, which stock packages read, or the
            model's own id.
        data_type: The element type of the data arrays.
        index: Whether indexes are read; without them the headers of all files are.
        index_only: Read no byte of a data file, also where its index is missing or wrong.
        progress: Is called with the files done and their total.

    Returns:
        What `gik build --json` prints.

    Raises:
        ArgumentError: When the request is wrong.
        MismatchError: When the run does not fit the store.
        Error: When nothing of the run could be used (see `Error.report`), or the store cannot be written.
    """
    arguments = _arguments(
        model, store, product, members, steps, variables, source, layout, codec, data_type, index, index_only
    )
    report: Report = json.loads(_gik.build(arguments, time_text(run), progress))
    return report


def update(
    model: str,
    store: Place,
    run: Time | None = None,
    *,
    watch: bool = False,
    interval: Span = 5.0,
    deadline: Span = 86_400.0,
    product: str | None = None,
    members: Numbers | None = None,
    steps: Numbers | None = None,
    variables: Names | None = None,
    source: Place | None = None,
    codec: Literal["gribberish", "model"] = "gribberish",
    data_type: Literal["float32", "float64"] = "float32",
    index: bool = True,
    index_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Adds a run to a store while it is published, whole files as they appear.

    Args:
        run: The run; without it the newest of the last 48 hours that has begun to be published or, if
            none has, the one that should have.
        watch: Wait for files that are not there yet, until the run is complete or the deadline passes.
        interval: The time between two looks at the source, in seconds.
        deadline: When to give up, in seconds from the start.
        progress: Is called with the files in the store and their total.

    The other arguments, and what is raised, are those of `build`.

    Returns:
        What `gik update --json` prints.
    """
    arguments = _arguments(
        model, store, product, members, steps, variables, source, "forecast", codec, data_type, index, index_only
    )
    when = _gik.newest_run(arguments) if run is None else time_text(run)
    report: Report = json.loads(
        _gik.update(arguments, when, watch, seconds("interval", interval), seconds("deadline", deadline), progress)
    )
    return report


def backfill(
    model: str,
    first: Time,
    last: Time,
    store: Place,
    *,
    jobs: int = 4,
    shard: str | None = None,
    deadline: Span | None = None,
    product: str | None = None,
    members: Numbers | None = None,
    steps: Numbers | None = None,
    variables: Names | None = None,
    source: Place | None = None,
    codec: Literal["gribberish", "model"] = "gribberish",
    data_type: Literal["float32", "float64"] = "float32",
    index: bool = True,
    index_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Adds many runs to a store, those that start within a range of time.

    Runs that are there with all that they should have are left out: a back-fill that was
    interrupted goes on where it was.

    Args:
        first: The first run, or a time before it.
        last: The last run, or a time after it.
        jobs: Runs whose indexes are read at the same time.
        shard: This program's part, where several fill one store on S3 together: `2/8` is the second
            of eight.
        deadline: When reading stops, in seconds from the start; what was read is committed, and runs that were not
            reached are named.
        progress: Is called with the runs done and their total.

    The other arguments, and what is raised, are those of `build`.

    Returns:
        What `gik backfill --json` prints.
    """
    arguments = _arguments(
        model, store, product, members, steps, variables, source, "forecast", codec, data_type, index, index_only
    )
    limit = None if deadline is None else seconds("deadline", deadline)
    times = (time_text(first), time_text(last))
    report: Report = json.loads(
        _gik.backfill(arguments, times, whole("jobs", jobs, least=1), shard, limit, progress)
    )
    return report


def validate(
    store: Place,
    *,
    at: str | None = None,
    allow: Place | Iterable[Place] = (),
    sample: int = 3,
    progress: Progress | None = None,
) -> Report:
    """Checks that a store has what it should have, and that it can be read.

    Args:
        store: A path, `file://` or `s3://`.
        at: An earlier state: see `open`.
        allow: Places that references may be read from: see `open`.
        sample: Messages of each variable to decode: the first, the last, and some between.
        progress: Is called with the variables done and their total.

    Returns:
        What `gik validate --json` prints.
    """
    messages = whole("sample", sample)
    report: Report = json.loads(
        _gik.validate(place_text(store), at, place_list(allow), messages, progress)
    )
    return report


def _arguments(
    model: str,
    store: Place,
    product: str | None,
    members: Numbers | None,
    steps: Numbers | None,
    variables: Names | None,
    source: Place | None,
    layout: str,
    codec: str,
    data_type: str,
    index: bool,
    index_only: bool,
) -> dict[str, object]:
    if index_only and not index:
        raise ArgumentError("index_only: cannot be used with index=False")
    return {
        "model": text("model", model),
        "store": place_text(store),
        "product": product,
        "members": numbers_text(members, "members"),
        "steps": numbers_text(steps, "steps"),
        "variables": name_list(variables),
        "source": None if source is None else place_text(source),
        "layout": text("layout", layout),
        "codec": text("codec", codec),
        "data_type": text("data_type", data_type),
        "headers": "never" if index_only else "where needed" if index else "always",
    }
