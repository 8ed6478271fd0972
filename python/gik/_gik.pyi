from typing import Any

__version__: str

def parse(request: dict[str, Any]) -> dict[str, Any]: ...
