"""Building, following, filling, checking."""

import datetime
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import generate

import gik


def test_a_run_is_added_once(run, store, subset):
    told = []
    report = gik.build(
        "gefs", datetime.datetime(2025, 1, 6), store, source=run, progress=lambda *it: told.append(it), **subset
    )
    assert report["references"] == {"expected": 51, "written": 0, "replaced": 0, "unchanged": 51}
    assert report["run"] == "2025-01-06T00" and report["files"] == {"expected": 27, "used": 27}
    assert told[-1] == (27, 27)


def test_holes_are_in_the_report(run, tmp_path, subset):
    more = {**subset, "steps": "0-30"}
    report = gik.build("gefs", np.datetime64("2025-01-06"), tmp_path / "store", source=run, **more)
    assert not report["complete"] and report["problems"] == {"missing_file": 6}
    assert {it["problem"] for it in report["diagnostics"]} == {"missing_file"}


def test_following_and_checking(run, tmp_path, subset):
    store = tmp_path / "store"
    told = []
    report = gik.update(
        "gefs", store, "2025-01-06T00", watch=True, interval=0.05, deadline=datetime.timedelta(seconds=0.2),
        source=run, progress=lambda *it: told.append(it), **{**subset, "steps": [0, 3, 6, 27]},
    )  # fmt: skip
    assert not report["complete"] and report["references"] == {"expected": 21, "there": 15, "found": 0}
    assert told[-1] == (9, 12)
    report = gik.validate(store, allow=run, sample=1)
    assert not report["complete"]
    report = gik.validate(store, allow=[run], sample=1)
    assert report["runs"][0]["run"] == "2025-01-06T00"


def test_filling(tmp_path):
    folder = tmp_path / "runs"
    for hour in ["00", "06"]:
        generate(folder, "--hour", hour, "--members", "0-1", "--steps", "0-6", "--messages", "t2m")
    subset = {"members": "0-1", "steps": "0-6", "variables": "t2m", "source": folder}
    report = gik.backfill("gefs", "2025-01-06T00", "2025-01-06T06", tmp_path / "store", jobs=2, **subset)
    assert report["complete"] and [run["references"] for run in report["runs"]] == [6, 6]
    dataset = gik.open(tmp_path / "store", allow=folder)
    assert dataset.time.dt.hour.values.tolist() == [0, 6] and np.isfinite(dataset.t2m[:, 1, 2, 9, 9].values).all()
    at = gik.open(tmp_path / "store", allow=folder, at=gik.update("gefs", tmp_path / "store", "2025-01-06T00", **subset)["snapshot"])
    assert at.sizes == dataset.sizes


def test_errors_have_the_text_of_the_command_and_a_kind(run, tmp_path, subset):
    def build(**changed):
        arguments = {"model": "gefs", "run": "2025-01-06T00", "store": tmp_path / "store", "source": run, **subset}
        return gik.build(**{**arguments, **changed})

    for changed, kind, text in [
        ({"model": "gfes"}, gik.ArgumentError, "unknown model 'gfes'; this build has: ecmwf, gefs, hrrr"),
        ({"run": "yesterday"}, gik.ArgumentError, "yesterday"),
        ({"members": "5-1"}, ValueError, "'5-1': runs backwards; write 1-5"),
        ({"variables": "tpp"}, gik.ArgumentError, "tpp"),
        ({"layout": "flat"}, gik.ArgumentError, "layout 'flat': is neither forecast nor run"),
        ({"codec": "jpeg"}, gik.ArgumentError, "codec='jpeg': is none of 'gribberish', 'model'"),
        ({"index": False, "index_only": True}, gik.ArgumentError, "index_only"),
        ({"store": "gs://bucket/x"}, gik.ArgumentError, "use a path, file:// or s3://"),
        ({"source": tmp_path / "none"}, gik.ArgumentError, "is no folder"),
    ]:
        with pytest.raises(kind, match=text):
            build(**changed)
    with pytest.raises(gik.Error, match="none of the 27 files of gefs") as raised:
        build(run="2025-01-07T00")
    assert raised.value.report["complete"] is False and raised.value.report["files"]["used"] == 0
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is type(raised.value) and again.report == raised.value.report
    with pytest.raises(FileNotFoundError, match="build a store with gik build"):
        gik.validate(tmp_path / "none")


def test_what_progress_raises_ends_the_call(run, tmp_path, subset):
    def progress(done, total):
        raise ZeroDivisionError(f"at {done} of {total}")

    with pytest.raises(ZeroDivisionError, match="of 27"):
        gik.build("gefs", "2025-01-06T00", tmp_path / "store", source=run, progress=progress, **subset)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_the_call(run, tmp_path):
    script = (
        "import sys, gik\n"
        "print('begun', flush=True)\n"
        "try:\n"
        "    gik.update('gefs', sys.argv[2], '2025-01-06T00', source=sys.argv[1], members=9, watch=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, run, tmp_path / "store"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout.readline() == "begun\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n" and process.returncode == 0
    finally:
        process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_runtime_of_its_own(store, run):
    expected = gik.validate(store, allow=run, sample=0)["complete"]
    child = os.fork()
    if child == 0:
        os._exit(0 if gik.validate(store, allow=run, sample=0)["complete"] == expected else 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the forked process hangs")
