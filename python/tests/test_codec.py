"""The codec in zarr-python: values, parts of chunks, damage, memory."""

import asyncio
import os
import pathlib
import pickle
import random

import eccodes
import numpy as np
import pytest
import zarr
from conftest import MESSAGES

import gik

REFERENCES = sorted(path.stem for path in MESSAGES.glob("*.grib2") if path.with_suffix(".f64").exists())
# Two fields in one message, which no chunk can be.
REFERENCES.remove("submessages")


def array_of(message, shape, codec, dtype="float64"):
    """An array whose one chunk is the message."""
    store = zarr.storage.MemoryStore()
    fill = "NaN" if dtype.startswith("float") else 0
    zarr.create_array(store, shape=shape, chunks=shape, dtype=dtype, serializer=codec, compressors=None, fill_value=fill)
    chunk = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(message)
    asyncio.run(store.set("c" + "/0" * len(shape), chunk))
    return zarr.open_array(store, mode="r+")


def keys_of(message, *keys):
    handle = eccodes.codes_new_from_message(message)
    try:
        return [eccodes.codes_get(handle, key) for key in keys]
    finally:
        eccodes.codes_release(handle)


def decoded_by_eccodes(message):
    handle = eccodes.codes_new_from_message(message)
    try:
        eccodes.codes_set(handle, "missingValue", 9.969e36)
        values = eccodes.codes_get_values(handle)
        if eccodes.codes_get(handle, "bitmapPresent"):
            values[values == 9.969e36] = np.nan
        return values.reshape(eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni"))
    finally:
        eccodes.codes_release(handle)


def message_named(name):
    return (MESSAGES / f"{name}.grib2").read_bytes()


@pytest.mark.parametrize("name", REFERENCES)
def test_values_are_those_of_eccodes_to_the_last_bit(name):
    message = message_named(name)
    expected = np.fromfile(MESSAGES / f"{name}.f64", dtype="<f8")
    rows, columns = keys_of(message, "Nj", "Ni")
    expected = expected.reshape(1, 1, rows, columns)
    codec = gik.GEFSCodec(var="x")
    assert np.array_equal(array_of(message, expected.shape, codec)[:], expected, equal_nan=True)
    single = array_of(message, expected.shape, codec, "float32")[:]
    assert np.array_equal(single, expected.astype(np.float32), equal_nan=True)


SELECTIONS = [
    np.s_[0, 0, 2:5, 3:9],
    np.s_[:, :, ::2, 1::3],
    np.s_[0, 0, 4, :],
    np.s_[0, 0, :, 7],
    np.s_[0, 0, 4, 7],
    np.s_[0, :, 3:3, :],
    np.s_[...],
]


@pytest.mark.parametrize("pipeline", ["BatchedCodecPipeline", "FusedCodecPipeline"])
@pytest.mark.parametrize("name", ["second_order", "ccsds_bitmap", "simple", "jpeg2000"])
def test_parts_are_those_of_the_whole(name, pipeline):
    message = message_named(name)
    shape = (1, 1, *keys_of(message, "Nj", "Ni"))
    with zarr.config.set({"codec_pipeline.path": f"zarr.core.codec_pipeline.{pipeline}"}):
        array = array_of(message, shape, gik.GEFSCodec(var="x"), "float32")
        whole = np.fromfile(MESSAGES / f"{name}.f64", dtype="<f8").astype(np.float32).reshape(shape)
        for selection in SELECTIONS:
            assert np.array_equal(array[selection], whole[selection], equal_nan=True), selection
        rows, columns = [5, 1, 2], [0, 9]
        chosen = array.oindex[0, 0, rows, columns]
        assert np.array_equal(chosen, whole[0, 0][np.ix_(rows, columns)], equal_nan=True)
        mask = np.zeros(shape[3], dtype=bool)
        mask[[2, 6]] = True
        assert np.array_equal(array.oindex[0, 0, slice(1, 4), mask], whole[0, 0, 1:4][:, mask], equal_nan=True)
        points = array.vindex[[0, 0], [0, 0], [1, 6], [8, 2]]
        assert np.array_equal(points, whole[[0, 0], [0, 0], [1, 6], [8, 2]], equal_nan=True)


class Recorder:
    """Notes what a decoder is asked for."""

    def __init__(self, decoder):
        self.decoder, self.calls = decoder, []

    def __getattr__(self, name):
        def call(_message, *arguments):
            self.calls.append((name, *arguments))
            return getattr(self.decoder, name)(_message, *arguments)

        return call


@pytest.mark.parametrize("pipeline", ["BatchedCodecPipeline", "FusedCodecPipeline"])
def test_of_a_part_no_more_is_decoded_than_that(pipeline):
    """Of each message the smallest rectangle that has what is asked for."""
    message = message_named("second_order")
    shape = tuple(keys_of(message, "Nj", "Ni"))
    path = f"zarr.core.codec_pipeline.{pipeline}"
    with zarr.config.set({"codec_pipeline.path": path}):
        array = array_of(message, shape, gik.GEFSCodec(var="x"))
    (codec,) = array.metadata.codecs
    recorder = Recorder(codec._decoder)
    object.__setattr__(codec, "_decoder", recorder)
    whole = array[:]
    recorder.calls.clear()
    for selection, rows, columns in [
        (np.s_[2:5, 3:9], (2, 5), (3, 9)),
        (np.s_[1:6:2, -1], (1, 6), (shape[1] - 1, shape[1])),
    ]:
        assert np.array_equal(array[selection], whole[selection], equal_nan=True)
        assert recorder.calls.pop() == ("decode_region", shape, rows, columns, "float64")
        assert not recorder.calls


def test_a_message_whose_end_is_damaged_is_refused_in_part_too():
    message = message_named("second_order")
    shape = tuple(keys_of(message, "Nj", "Ni"))
    array = array_of(message[:-4] + b"8888", shape, gik.GEFSCodec(var="x"))
    for selection in (np.s_[:], np.s_[2:5, 3:9]):
        with pytest.raises(gik.GribError):
            array[selection]


def test_an_operational_message_with_its_coordinates():
    message = message_named("gefs_soilw")
    rows, columns, first, last = keys_of(
        message, "Nj", "Ni", "latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees"
    )
    expected = decoded_by_eccodes(message)
    plain = array_of(message, (rows, columns), gik.GEFSCodec(var="soilw"))[:]
    assert np.array_equal(plain, expected, equal_nan=True)
    turned = array_of(message, (rows, columns), gik.GEFSCodec(var="soilw", adjust_longitude_range=True))[:]
    assert np.array_equal(turned, np.roll(expected, columns // 2, axis=1), equal_nan=True)
    north = array_of(message, (rows, columns), gik.GEFSCodec(var="soilw", north_up=True))[:]
    assert np.array_equal(north, expected if first > last else expected[::-1], equal_nan=True)
    latitude = array_of(message, (rows,), gik.GEFSCodec(var="latitude"))[:]
    assert np.allclose(latitude, np.linspace(first, last, rows), rtol=0, atol=1e-9)
    longitude = array_of(message, (columns,), gik.GEFSCodec(var="longitude", adjust_longitude_range=True))[:]
    assert longitude[0] == -180 and np.all(np.diff(longitude) > 0)
    assert np.array_equal(array_of(message, (rows,), gik.GEFSCodec(var="latitude"))[5:9], latitude[5:9])


def test_times_steps_and_levels_of_hrrr():
    message = message_named("hrrr_constant")
    date, time, step, level = keys_of(message, "dataDate", "dataTime", "endStep", "level")
    iso = f"{date // 10000}-{date // 100 % 100:02}-{date % 100:02}T{time // 100:02}"
    seconds = np.datetime64(iso, "s").astype(np.int64)
    assert array_of(message, (1,), gik.HRRRCodec(var="time"), "int64")[:] == [seconds]
    assert array_of(message, (1,), gik.HRRRCodec(var="time"), "datetime64[s]")[0] == np.datetime64(iso, "s")
    assert array_of(message, (1,), gik.HRRRCodec(var="step"), "timedelta64[s]")[0] == np.timedelta64(step * 3600, "s")
    assert np.array_equal(array_of(message, (19,), gik.HRRRCodec(var="step", steps=19))[:], np.arange(19) * 3600)
    assert array_of(message, (1,), gik.HRRRCodec(var="sfc"))[:] == [level]


def test_what_it_may_not_be_told_or_asked_for():
    with pytest.raises(gik.ArgumentError, match="unknown key 'steps'; known are var, adjust_longitude_range, north_up"):
        gik.GEFSCodec(steps=3)
    with pytest.raises(ValueError, match="'north_up' must be true or false, not \"yes\""):
        gik.GEFSCodec(north_up="yes")
    message = message_named("simple")
    shape = tuple(keys_of(message, "Nj", "Ni"))
    for dtype in ["int32", "int64", "float16"]:
        with pytest.raises(gik.GribError, match="codec 'gefs_gribberish': cannot decode to"):
            array_of(message, shape, gik.GEFSCodec(var="x"), dtype)[:]
    with pytest.raises(gik.GribError, match="codec 'gefs_gribberish'"):
        array_of(message, (3, 5), gik.GEFSCodec(var="x"))[:]
    writable = zarr.create_array(
        zarr.storage.MemoryStore(), shape=shape, dtype="float32", serializer=gik.GEFSCodec(var="x"), compressors=None
    )
    with pytest.raises(NotImplementedError, match="read-only"):
        writable[:] = 1.0


def test_damaged_bytes_raise():
    random.seed(7)
    for name in ["second_order", "simple", "ccsds_bitmap", "jpeg2000", "png_16", "ieee64"]:
        message = message_named(name)
        shape = tuple(keys_of(message, "Nj", "Ni"))
        array = array_of(message, shape, gik.GEFSCodec(var="x"))
        chunk = zarr.core.buffer.default_buffer_prototype().buffer
        raised = 0
        for attempt in range(80):
            damaged = bytearray(message)
            if attempt % 2:
                del damaged[random.randrange(len(damaged)) :]
            for _ in range(attempt % 5):
                if damaged:
                    damaged[random.randrange(len(damaged))] = random.randrange(256)
            asyncio.run(array.store.set("c/0/0", chunk.from_bytes(bytes(damaged))))
            try:
                array[:]
                array[1:3, 2:4]
            except gik.GribError as error:
                assert str(error).startswith("codec 'gefs_gribberish': ")
                raised += 1
        assert raised >= 40
    with pytest.raises(gik.GribError) as raised:
        array_of(b"no GRIB at all", (2, 2), gik.GEFSCodec())[:]
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is gik.GribError and str(again) == str(raised.value) and again.offset == raised.value.offset


def test_a_codec_is_a_value():
    codec = gik.HRRRCodec(var="t2m", adjust_longitude_range=True)
    again = pickle.loads(pickle.dumps(codec))
    assert again == codec and hash(again) == hash(codec) and again != gik.HRRRCodec(var="t2m")
    entry = {"name": "hrrr_gribberish", "configuration": {"var": "t2m", "adjust_longitude_range": True}}
    assert codec.to_dict() == entry and gik.HRRRCodec.from_dict(entry) == codec
    assert gik.GEFSCodec.from_dict({"name": "gefs_gribberish"}).to_dict() == {"name": "gefs_gribberish"}


def test_entry_points():
    for name, codec in {"gefs": gik.GEFSCodec, "ecmwf": gik.ECMWFCodec, "hrrr": gik.HRRRCodec}.items():
        assert zarr.registry.get_codec_class(f"{name}_gribberish") is codec


def test_use_of_the_codec_for_gribberish_is_undone():
    def chosen():
        return zarr.registry.get_codec_class("gribberish")

    stock = chosen()
    assert stock.__module__.startswith("gribberish")
    with gik.use_codec():
        assert chosen() is gik.GribberishCodec
        with gik.use_codec():
            assert chosen() is gik.GribberishCodec
        assert chosen() is gik.GribberishCodec
    assert chosen() is stock
    gik.use_codec()
    gik.use_codec()
    assert chosen() is gik.GribberishCodec
    gik.use_codec(False)
    assert chosen() is stock
    # A block that ends uses ends none that began in it.
    with gik.use_codec(False):
        gik.use_codec()
    assert chosen() is gik.GribberishCodec
    gik.use_codec(False)
    assert chosen() is stock


def resident():
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="memory is read as Linux tells it")
def test_ten_thousand_decodes_leave_nothing_behind():
    message = message_named("gefs_soilw")
    rows, columns = keys_of(message, "Nj", "Ni")
    codec = gik.GEFSCodec(var="soilw")
    good = np.frombuffer(message, dtype=np.uint8)
    bad = good[: len(good) // 2]

    def decode(count):
        for turn in range(count):
            if turn % 4 == 3:
                with pytest.raises(gik.GribError):
                    codec._decoder.decode(bad, rows * columns, "float32")
            else:
                region = ((turn % 50, turn % 50 + 80), (9, 99))
                codec._decoder.decode_region(good, (rows, columns), *region, "float32")
        codec._decoder.decode(good, rows * columns, "float64")

    decode(500)
    before = resident()
    decode(10_000)
    # An array of each region would be 290 MB, a message of each 300 MB.
    assert resident() - before < 16_000_000
