"""How long do the peers take to decode GRIB messages?

    python decode_peers.py repack SOURCE TARGET   SOURCE in simple packing of 10 bits
    python decode_peers.py time ROUNDS FILE...    prints seconds as JSON

ecCodes decodes to doubles and, with its newer call, to single precision; gribberish to what
its Zarr codec gives. Each round makes a new handle: what ecCodes keeps is not counted.
"""

import json
import statistics
import sys
import time

import eccodes as ec
from gribberish import parse_grib_array


def eccodes_double(message):
    handle = ec.codes_new_from_message(message)
    started = time.perf_counter()
    ec.codes_get_double_array(handle, "values")
    seconds = time.perf_counter() - started
    ec.codes_release(handle)
    return seconds


def eccodes_single(message):
    handle = ec.codes_new_from_message(message)
    started = time.perf_counter()
    ec.codes_get_float_array(handle, "values")
    seconds = time.perf_counter() - started
    ec.codes_release(handle)
    return seconds


def gribberish(message):
    started = time.perf_counter()
    parse_grib_array(message, 0)
    return time.perf_counter() - started


PEERS = {"ecCodes f64": eccodes_double, "ecCodes f32": eccodes_single, "gribberish": gribberish}


def repack(source, target):
    with open(source, "rb") as file:
        handle = ec.codes_grib_new_from_file(file)
    values = ec.codes_get_values(handle)
    ec.codes_set(handle, "packingType", "grid_simple")
    ec.codes_set(handle, "bitsPerValue", 10)
    ec.codes_set_values(handle, values)
    with open(target, "wb") as file:
        file.write(ec.codes_get_message(handle))


def main():
    match sys.argv[1:]:
        case ["repack", source, target]:
            repack(source, target)
        case ["time", rounds, *files]:
            seconds = {}
            for file in files:
                with open(file, "rb") as opened:
                    message = opened.read()
                seconds[file] = {
                    name: statistics.median(peer(message) for _ in range(int(rounds)))
                    for name, peer in PEERS.items()
                }
            print(json.dumps(seconds))
        case _:
            sys.exit(__doc__)


main()
