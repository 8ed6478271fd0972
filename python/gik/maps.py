"""How probable it is that totals, of rain in 24 hours say, reach thresholds."""

from __future__ import annotations

import datetime
import json
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gik import _gik
from gik.arguments import (
    Place,
    amounts,
    label_list,
    place_list,
    place_text,
    size_text,
    span_text,
    text,
    whole,
)
from gik.errors import IncompleteWarning
from gik.runs import Progress

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

__all__ = ["exceedance"]

_LINES = 10


def exceedance(
    store: Place,
    *,
    variable: str = "tp",
    window: str | datetime.timedelta | np.timedelta64 = "24h",
    thresholds: str | float | Iterable[float] = (5.0, 25.0, 50.0, 75.0, 100.0, 125.0),
    bbox: tuple[float, float, float, float] | str | None = None,
    sel: Mapping[str, Any] | None = None,
    sliding: bool = False,
    start: int = 0,
    output: Place | Iterable[Place] = (),
    timezone: str = "UTC",
    memory: str | int = "1GB",
    at: str | None = None,
    allow: Place | Iterable[Place] = (),
    progress: Progress | None = None,
) -> xr.Dataset:
    """The share of members in which a total of a variable reaches each threshold.

    A total that lacks a message is missing, never smaller: `member_count(step)` says how many
    each window used, and an `IncompleteWarning` that some are short.

    Args:
        store: A path, `file://` or `s3://`.
        variable: An amount that the model accumulates.
        window: The length of a total: `24h`, `3h`, `5d`, or a timedelta.
        thresholds: Amounts to reach, in mm for water, else in the units of the variable.
        bbox: A region (west, south, east, north) in degrees; the globe without one.
        sel: Choices along dimensions by label: `{"member": slice(1, 30), "time": "2025-01-06T00"}`;
            slices have both their ends. Without `time` the newest run.
        sliding: A total at every step at which one ends, instead of one after the other.
        start: Where the first total begins, as a step: 6 for days from 06 UTC of a run at 00.
        output: Files to write as well: `.nc` (CF NetCDF) or `.png` (a sheet of maps).
        timezone: The time zone of the picture's times: `Africa/Nairobi`, `+3`.
        memory: Memory to work in, besides the result: `1GB`, or bytes.
        at: An earlier state: see `open`.
        allow: Places that references may be read from: see `open`.
        progress: Is called with the messages read and their total.

    Returns:
        `<variable>_probability(step, threshold, latitude|y, longitude|x)` in per cent, float32, NaN
        where no member has a value; `step` is the lead at which a window ends. And `member_count(step)`.

    Raises:
        ArgumentError: When the request is wrong, or the windows do not add up to such totals.
        Error: When no message can be read.
    """
    parts, said, missing, members = _gik.exceedance(
        {
            "store": place_text(store),
            "at": at,
            "allow": place_list(allow),
            "variable": text("variable", variable),
            "window": span_text("window", window),
            "sliding": sliding,
            "start": whole("start", start),
            "thresholds": amounts("thresholds", thresholds),
            "bbox": bbox if bbox is None or isinstance(bbox, str) else ",".join(map(str, bbox)),
            "sel": label_list(sel),
            "timezone": text("timezone", timezone),
            "memory": size_text("memory", memory),
            "output": place_list(output),
        },
        progress,
    )
    report = json.loads(said)
    if not report["complete"]:
        lost = f"{report['messages_missing']} messages missing, {report['messages_damaged']} damaged"
        lines = [f"incomplete: {lost}", *missing[:_LINES]]
        warnings.warn("\n  ".join(lines), IncompleteWarning, stacklevel=2)
    return _dataset(parts, members)


def _dataset(parts: dict[str, Any], members: list[int]) -> xr.Dataset:
    import numpy as np
    import xarray as xr

    shapes = dict(zip(parts["dimensions"], parts["shape"], strict=True))
    coordinates = {
        name: (dimensions, values.reshape([shapes[it] for it in dimensions]), json.loads(attributes))
        for name, dimensions, values, attributes in parts["coordinates"]
    }
    values = parts["values"].reshape(parts["shape"])
    count = {"long_name": "members with a complete total over the window", "units": "1"}
    dataset = xr.Dataset(
        {
            parts["name"]: (parts["dimensions"], values, json.loads(parts["attributes"])),
            "member_count": (["step"], np.asarray(members, dtype=np.int64), count),
        },
        coords=coordinates,
        attrs=json.loads(parts["dataset_attributes"]),
    )
    return xr.decode_cf(dataset, decode_timedelta=True)
