"""What a region of all members and steps takes with the package's codec and with the stock one.

`python_codec.py RUN STORE [ROUNDS [STEPS]]`: each side opens the store anew and reads in a process
of its own, in turn with the other. The values must be the same.
"""

import json
import statistics
import subprocess
import sys
import time
import zlib

REGION = {"latitude": slice(23, -12), "longitude": slice(21, 53)}


def read(side, run, store):
    import contextlib

    import xarray as xr

    import gik

    session = gik.repository(store, allow=run).readonly_session("main")
    with gik.use_codec() if side == "gik" else contextlib.nullcontext():
        dataset = xr.open_zarr(session.store, consolidated=False)
    started = time.perf_counter()
    values = dataset.tp.sel(**REGION).load().values
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "shape": values.shape, "values": zlib.crc32(values.tobytes())}))


def main(run, store, rounds=3, steps=None):
    import gik

    report = gik.build("gefs", "2025-01-06T00", store, source=run, variables="tp", steps=steps)
    rounds = int(rounds)
    times = {"gik": [], "gribberish": []}
    seen = set()
    for _ in range(rounds):
        for side in times:
            command = [sys.executable, __file__, "--side", side, run, store]
            outcome = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            times[side].append(outcome["seconds"])
            seen.add((tuple(outcome["shape"]), outcome["values"]))
    if len(seen) != 1:
        raise SystemExit(f"the sides read different values: {seen}")
    print(f"GEFS tp over East Africa, {report['members']} members × {report['steps']} steps, {rounds} rounds")
    ours = statistics.median(times["gik"])
    for side, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"  {side:12} {middle:8.2f} s   {min(seconds):.2f}…{max(seconds):.2f}   ratio {middle / ours:.1f}")


if __name__ == "__main__":
    if sys.argv[1] == "--side":
        read(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
