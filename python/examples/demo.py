"""The runs that the examples use unless they are told of others: the bundled ones, in small."""

import pathlib
import tarfile

BUNDLES = pathlib.Path(__file__).resolve().parents[2] / "crates/gik/demo"


def demo_run(model: str, folder: pathlib.Path) -> pathlib.Path:
    """Unpacks the bundled run of ``model``, ``gefs`` or ``ecmwf``, into ``folder``: a mirror of the
    bucket, with the same layout. Its values are synthetic."""
    with tarfile.open(BUNDLES / f"{model}-demo.tar") as bundle:
        bundle.extractall(folder, filter="data")
    return folder
