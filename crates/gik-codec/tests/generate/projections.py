"""Projected grids and the coordinates of their points by ecCodes."""

import eccodes as ec
import numpy as np

COLUMNS, ROWS = 7, 5
# Scanning mode (flag table 3.4): rows follow each other in +j.
NORTHWARD = 0x40
# Shapes of the Earth (code table 3.2), with their own numbers where they have some.
SPHERE = {"shapeOfTheEarth": 6}
RADIUS = {
    "shapeOfTheEarth": 1,
    "scaleFactorOfRadiusOfSphericalEarth": 1,
    "scaledValueOfRadiusOfSphericalEarth": 63_712_000,
}
WGS84 = {"shapeOfTheEarth": 5}
GRS80 = {"shapeOfTheEarth": 4}
IAU65 = {"shapeOfTheEarth": 2}
METRES = {
    "shapeOfTheEarth": 7,
    "scaleFactorOfEarthMajorAxis": 1,
    "scaledValueOfEarthMajorAxis": 63_781_370,
    "scaleFactorOfEarthMinorAxis": 1,
    "scaledValueOfEarthMinorAxis": 63_567_523,
}


def lambert(latitude, longitude, lov, latin1, latin2):
    return "lambert", {
        "Nx": COLUMNS,
        "Ny": ROWS,
        "latitudeOfFirstGridPointInDegrees": latitude,
        "longitudeOfFirstGridPointInDegrees": longitude,
        "LaDInDegrees": latin1,
        "LoVInDegrees": lov,
        "DxInMetres": 90_000,
        "DyInMetres": 110_000,
        "Latin1InDegrees": latin1,
        "Latin2InDegrees": latin2,
        "projectionCentreFlag": 128 if latin1 < 0 else 0,
    }


def polar(latitude, longitude, orientation, true_scale, south=False):
    return "polar_stereographic", {
        "Nx": COLUMNS,
        "Ny": ROWS,
        "latitudeOfFirstGridPointInDegrees": latitude,
        "longitudeOfFirstGridPointInDegrees": longitude,
        "LaDInDegrees": true_scale,
        "orientationOfTheGridInDegrees": orientation,
        "DxInMetres": 300_000,
        "DyInMetres": 250_000,
        "projectionCentreFlag": 128 if south else 0,
    }


def mercator(latitude, longitude, true_scale):
    return "mercator", {
        "Ni": COLUMNS,
        "Nj": ROWS,
        "latitudeOfFirstGridPointInDegrees": latitude,
        "longitudeOfFirstGridPointInDegrees": longitude,
        "LaDInDegrees": true_scale,
        "DiInMetres": 20_000,
        "DjInMetres": 15_000,
        # What the last point is follows from these; ecCodes wants it there.
        "latitudeOfLastGridPointInDegrees": latitude + 1,
        "longitudeOfLastGridPointInDegrees": longitude + 1,
    }


def cases():
    """Names, grids and Earths. What ecCodes does not compute is left out: other Earths than
    spheres of polar stereographic grids, and rows that go south, which it numbers from the
    first point to the north all the same."""
    for name, earth in [("sphere", SPHERE), ("radius", RADIUS), ("wgs84", WGS84),
                        ("grs80", GRS80), ("iau65", IAU65), ("metres", METRES)]:
        yield f"lambert {name}", lambert(21.138, 237.28, 262.5, 38.5, 38.5), earth
        yield f"lambert two parallels {name}", lambert(30, 5, 20, 33, 45), earth
        yield f"lambert south {name}", lambert(-50, 300, 310, -35, -45), earth
        yield f"mercator {name}", mercator(18.073, 198.475, 20), earth
    for name, earth in [("sphere", SPHERE), ("radius", RADIUS)]:
        yield f"polar {name}", polar(40.53, 181.43, 210, 60), earth
        yield f"polar south {name}", polar(-62, 40, 10, -70, True), earth


def written(folder):
    """One file of messages, a table of them, and latitudes, then longitudes of each."""
    folder.mkdir(exist_ok=True)
    with (
        (folder / "projections.grib2").open("wb") as messages,
        (folder / "projections.f64").open("wb") as coordinates,
        (folder / "projections.txt").open("w") as table,
    ):
        for name, (grid, keys), earth in cases():
            handle = ec.codes_grib_new_from_samples("GRIB2")
            ec.codes_set(handle, "gridType", grid)
            for key, value in {**keys, "scanningMode": NORTHWARD, **earth}.items():
                ec.codes_set(handle, key, value)
            ec.codes_set_values(handle, np.zeros(COLUMNS * ROWS))
            message = ec.codes_get_message(handle)
            # What was set last is seen by a new reader only.
            ec.codes_release(handle)
            handle = ec.codes_new_from_message(message)
            table.write(f"{messages.tell()} {len(message)} {name}\n")
            messages.write(message)
            for key in ("latitudes", "longitudes"):
                values = ec.codes_get_array(handle, key)
                assert len(values) == COLUMNS * ROWS
                coordinates.write(values.astype("<f8").tobytes())
            ec.codes_release(handle)
