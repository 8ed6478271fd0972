from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

__version__: str

type _Progress = Callable[[int, int], object] | None

@final
class Decoder:
    name: str
    is_of_points: bool
    def __new__(cls, name: str, configuration: str) -> Decoder: ...
    def decode(self, message: npt.NDArray[np.uint8], elements: int, element: str) -> npt.NDArray[Any]: ...
    def decode_region(
        self,
        message: npt.NDArray[np.uint8],
        shape: tuple[int, ...],
        rows: tuple[int, int],
        columns: tuple[int, int],
        element: str,
    ) -> npt.NDArray[Any]: ...

def build(arguments: dict[str, object], run: str, progress: _Progress) -> str: ...
def newest_run(arguments: dict[str, object]) -> str: ...
def update(
    arguments: dict[str, object], run: str, watch: bool, interval: float, deadline: float, progress: _Progress
) -> str: ...
def backfill(
    arguments: dict[str, object], between: tuple[str, str], jobs: int, shard: str | None,
    deadline: float | None, progress: _Progress
) -> str: ...
def resolve(store: str, at: str | None, allow: list[str]) -> str: ...
def validate(store: str, at: str | None, allow: list[str], sample: int, progress: _Progress) -> str: ...
def exceedance(
    arguments: dict[str, object], progress: _Progress
) -> tuple[dict[str, Any], str, list[str], list[int]]: ...
def parse(request: dict[str, object]) -> dict[str, Any]: ...
