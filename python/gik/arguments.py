"""What people pass, as the texts that the library reads."""

from __future__ import annotations

import datetime
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gik.errors import ArgumentError

type Time = str | datetime.datetime | np.datetime64
"""A time in UTC: `2025-01-06T00`, or a date and time; one without a time zone is in UTC."""

type Numbers = str | int | Iterable[int]
"""Numbers: `"0-30"`, `"0,6,12-24"`, `3`, `range(31)`, `[0, 6]`."""

type Names = str | Iterable[str]
"""Names: `"tp"`, `"tp,t2m"`, `["tp", "t2m"]`."""

type Place = str | os.PathLike[str]
"""A path or a url."""


type Span = float | datetime.timedelta | np.timedelta64
"""A span of time; a number is in seconds."""


def time_text(time: Time) -> str:
    """A reference time, to the hour; what is finer is not cut but written, and refused."""
    if isinstance(time, str):
        return time
    if isinstance(time, np.datetime64):
        minute = np.datetime64(time, "m")
        return str(minute if minute == time else time)
    if not isinstance(time, datetime.datetime):
        raise ArgumentError(f"time {time!r}: is none; write '2025-01-06T00', or pass a datetime or datetime64")
    if time.tzinfo is not None:
        time = time.astimezone(datetime.UTC).replace(tzinfo=None)
    return time.isoformat(timespec="minutes" if time.second == time.microsecond == 0 else "auto")


def whole(name: str, number: Any, least: int = 0) -> int:
    """A whole number, of NumPy too."""
    if isinstance(number, (float, np.floating)) and float(number).is_integer():
        number = int(number)
    try:
        value = operator.index(number)
    except TypeError:
        raise ArgumentError(f"{name} {number!r}: is no whole number") from None
    if not least <= value < 1 << 32:
        raise ArgumentError(f"{name} {value}: is not between {least} and {(1 << 32) - 1}")
    return value


def numbers_text(numbers: Numbers | None, name: str = "numbers") -> str | None:
    """A selection of members or steps."""
    if numbers is None or isinstance(numbers, str):
        return numbers
    return ",".join(str(whole(name, number)) for number in _each(numbers, name))


def amounts(name: str, numbers: str | float | Iterable[float]) -> list[float]:
    """Numbers that need not be whole."""
    parts = numbers.split(",") if isinstance(numbers, str) else _each(numbers, name)
    try:
        return [float(number) for number in parts]
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} {numbers!r}: are no numbers") from None


def name_list(names: Names | None) -> list[str] | None:
    """Names of variables."""
    if names is None:
        return None
    listed = names.split(",") if isinstance(names, str) else list(_each(names, "variables"))
    if not listed or not all(isinstance(name, str) and name.strip() for name in listed):
        raise ArgumentError(f"variables {listed!r}: are no names; leave them out for all")
    return [name.strip() for name in listed]


def text(name: str, value: Any) -> str:
    """A text that must be one."""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} {value!r}: is no text")
    return value


def _each(values: Any, name: str) -> Iterable[Any]:
    """The values; one alone is a list of one."""
    if isinstance(values, Iterable) and not (isinstance(values, np.ndarray) and values.ndim == 0):
        return values
    return [values]


def place_text(place: Place) -> str:
    """A path or a url."""
    return os.fspath(place)


def place_list(places: Place | Iterable[Place]) -> list[str]:
    """Paths or urls; one alone is a list of one."""
    if isinstance(places, (str, os.PathLike)):
        return [place_text(places)]
    return [place_text(place) for place in places]


def seconds(name: str, span: Span) -> float:
    """A span of time in seconds."""
    if isinstance(span, datetime.timedelta):
        return span.total_seconds()
    if isinstance(span, np.timedelta64):
        return float(span / np.timedelta64(1, "s"))
    try:
        return float(span)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} {span!r}: is no span of time; pass seconds or a timedelta") from None


def span_text(name: str, span: Any) -> str:
    """A length of time as the command writes it: `24h`."""
    if isinstance(span, str):
        return span
    if not isinstance(span, (datetime.timedelta, np.timedelta64)):
        raise ArgumentError(f"{name} {span!r}: is no length of time; write '24h', or pass a timedelta")
    minutes = seconds(name, span) / 60
    if not minutes.is_integer():
        raise ArgumentError(f"{name} {span!r}: is no length in whole minutes")
    return f"{minutes / 60:.0f}h" if minutes % 60 == 0 else f"{minutes:.0f}min"


def size_text(name: str, size: str | int) -> str:
    """A size of memory; a number is in bytes."""
    return size if isinstance(size, str) else f"{whole(name, size, least=1)}B"


def label_list(labels: Mapping[str, Any] | None) -> list[str]:
    """Choices along dimensions as the command writes them: `step=0:120`."""
    if labels is None:
        return []
    return [f"{name}={_label(name, label)}" for name, label in labels.items()]


def _label(name: str, label: Any) -> str:
    if isinstance(label, slice):
        if label.step is not None:
            raise ArgumentError(f"sel {name}={label!r}: has a step; a range takes all between its ends")
        if label.start is None or label.stop is None:
            raise ArgumentError(f"sel {name}={label!r}: has no end; write both, they are included")
        return f"{_label(name, label.start)}:{_label(name, label.stop)}"
    if isinstance(label, (datetime.datetime, np.datetime64)):
        return time_text(label)
    if isinstance(label, (datetime.timedelta, np.timedelta64)):
        return span_text(f"sel {name}", label)
    if isinstance(label, (str, int, float, np.integer, np.floating)):
        return str(label)
    raise ArgumentError(f"sel {name}={label!r}: is no label; pass one, or a slice of two")
