"""What people pass, as the texts that the library reads."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

type Time = str | datetime.datetime | np.datetime64
"""A time in UTC: `2025-01-06T00`, or a date and time; one without a time zone is in UTC."""

type Numbers = str | int | Iterable[int]
"""Numbers: `"0-30"`, `"0,6,12-24"`, `3`, `range(31)`, `[0, 6]`."""

type Names = str | Iterable[str]
"""Names: `"tp"`, `"tp,t2m"`, `["tp", "t2m"]`."""

type Place = str | os.PathLike[str]
"""A path or a url."""


def time_text(time: Time) -> str:
    """A reference time, to the hour."""
    if isinstance(time, str):
        return time
    if isinstance(time, np.datetime64):
        return str(np.datetime64(time, "m"))
    if time.tzinfo is not None:
        time = time.astimezone(datetime.UTC)
    return time.strftime("%Y-%m-%dT%H:%M")


def numbers_text(numbers: Numbers | None) -> str | None:
    """A selection of members or steps."""
    if numbers is None or isinstance(numbers, str):
        return numbers
    if isinstance(numbers, (int, np.integer)):
        return str(numbers)
    return ",".join(str(int(number)) for number in numbers)


def name_list(names: Names | None) -> list[str] | None:
    """Names of variables."""
    if names is None:
        return None
    return names.split(",") if isinstance(names, str) else list(names)


def place_text(place: Place) -> str:
    """A path or a url."""
    return os.fspath(place)


def place_list(places: Place | Iterable[Place]) -> list[str]:
    """Paths or urls; one alone is a list of one."""
    if isinstance(places, (str, os.PathLike)):
        return [place_text(places)]
    return [place_text(place) for place in places]


def seconds(span: float | datetime.timedelta) -> float:
    """A span of time in seconds."""
    return span.total_seconds() if isinstance(span, datetime.timedelta) else float(span)


def label_list(labels: Mapping[str, Any] | None) -> list[str]:
    """Choices along dimensions as the command writes them: `step=0:120`."""
    if labels is None:
        return []
    return [f"{name}={_label(label)}" for name, label in labels.items()]


def _label(label: Any) -> str:
    if isinstance(label, slice):
        return ":".join("" if end is None else _label(end) for end in (label.start, label.stop))
    if isinstance(label, (datetime.datetime, np.datetime64)):
        return time_text(label)
    return str(label)
