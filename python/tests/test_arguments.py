"""What people pass: read as it is meant, or refused with a sentence."""

import datetime

import numpy as np
import pandas as pd
import pytest

import gik
from gik.arguments import (
    amounts,
    label_list,
    name_list,
    numbers_text,
    seconds,
    size_text,
    span_text,
    time_text,
    whole,
)

NAIROBI = datetime.timezone(datetime.timedelta(hours=3))


@pytest.mark.parametrize(
    "time",
    [
        "2025-01-06T00:00",
        datetime.datetime(2025, 1, 6),
        datetime.datetime(2025, 1, 6, 3, tzinfo=NAIROBI),
        np.datetime64("2025-01-06"),
        np.datetime64("2025-01-06T00:00:00.000000000"),
        pd.Timestamp("2025-01-06"),
        pd.Timestamp("2025-01-06T03", tz=NAIROBI),
    ],
)
def test_times(time):
    assert time_text(time) == "2025-01-06T00:00"


def test_what_is_finer_than_an_hour_is_not_cut():
    assert time_text(datetime.datetime(2025, 1, 6, 0, 0, 30)) == "2025-01-06T00:00:30"
    assert time_text(np.datetime64("2025-01-06T00:00:00.5")) == "2025-01-06T00:00:00.500"


def test_numbers():
    for numbers in (range(3), [0, 1, 2], np.arange(3), (it for it in (0, 1.0, np.int8(2)))):
        assert numbers_text(numbers) == "0,1,2"
    assert numbers_text(3) == numbers_text(3.0) == numbers_text(np.int64(3)) == numbers_text(np.array(3)) == "3"
    assert numbers_text("0-2") == "0-2" and numbers_text(None) is None
    assert amounts("thresholds", "5, 25") == amounts("thresholds", (5, 25.0)) == [5.0, 25.0]
    assert amounts("thresholds", 5) == [5.0]
    assert name_list("tp, t2m") == name_list(["tp", "t2m"]) == ["tp", "t2m"]


def test_spans():
    day = datetime.timedelta(days=1)
    for span in (day, np.timedelta64(1, "D"), pd.Timedelta("24h"), 86_400):
        assert seconds("deadline", span) == 86_400
    for span in (day, np.timedelta64(24, "h"), pd.Timedelta("24h")):
        assert span_text("window", span) == "24h"
    assert span_text("window", np.timedelta64(30, "m")) == "30min" and span_text("window", "5d") == "5d"
    assert size_text("memory", 10**9) == "1000000000B" and size_text("memory", "1GB") == "1GB"


def test_labels():
    step = np.timedelta64(24, "h").astype("timedelta64[ns]")
    labels = {"step": slice(step, pd.Timedelta("48h")), "member": np.int64(3), "time": np.datetime64("2025-01-06")}
    assert label_list(labels) == ["step=24h:48h", "member=3", "time=2025-01-06T00:00"]


@pytest.mark.parametrize(
    "refused, says",
    [
        (lambda: time_text(datetime.date(2025, 1, 6)), "is none; write '2025-01-06T00'"),
        (lambda: time_text(None), "time None"),
        (lambda: numbers_text([0.7, 1.2], "members"), "members 0.7: is no whole number"),
        (lambda: numbers_text([-1], "steps"), "steps -1: is not between 0"),
        (lambda: whole("jobs", 0, least=1), "jobs 0"),
        (lambda: amounts("thresholds", "five"), "thresholds 'five'"),
        (lambda: name_list([]), "leave them out for all"),
        (lambda: name_list([3]), "are no names"),
        (lambda: seconds("deadline", "soon"), "deadline 'soon'"),
        (lambda: span_text("window", 24), "write '24h'"),
        (lambda: span_text("window", datetime.timedelta(seconds=90)), "whole minutes"),
        (lambda: label_list({"member": slice(0, 2, 2)}), "has a step"),
        (lambda: label_list({"member": slice(0, None)}), "has no end"),
        (lambda: label_list({"member": [0, 2]}), "is no label"),
        (lambda: gik.build(None, "2025-01-06T00", "x"), "model None"),
        (lambda: gik.build("gefs", "2025-01-06T00", "x", variables=[]), "variables"),
        (lambda: gik.validate("x", sample=-1), "sample -1"),
        (lambda: gik.backfill("gefs", "2025-01-06", "2025-01-07", "x", jobs=-1), "jobs -1"),
        (lambda: gik.exceedance("x", start=-6), "start -6"),
        (lambda: gik.exceedance("x", memory=0), "memory 0"),
    ],
)
def test_what_is_refused(refused, says):
    with pytest.raises(gik.ArgumentError, match=says.replace("(", r"\(")):
        refused()
