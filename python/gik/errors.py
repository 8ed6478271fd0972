"""What can go wrong. Every exception of the package is an `Error`; its text is that of the command."""

import json
from typing import Any


class Error(Exception):
    """Something went wrong: the text says what, where, and what to do.

    Attributes:
        url: The file or store in which it happened, if it is known.
        offset: The byte at which it happened, counted from the start of the file or message.
        report: What is known of a build whose run had nothing, as `gik build --json` prints it.
    """

    url: str | None
    offset: int | None
    report: dict[str, Any] | None

    def __init__(
        self, text: str, url: str | None = None, offset: int | None = None, report: str | None = None
    ) -> None:
        super().__init__(text)
        self.url = url
        self.offset = offset
        self.report = None if report is None else json.loads(report)


class ArgumentError(Error, ValueError):
    """An argument is wrong; the text says what would be right."""


class NotFoundError(Error, FileNotFoundError):
    """A store or file is not there."""


class InputOutputError(Error, OSError):
    """Reading or writing failed."""


class AccessError(Error, PermissionError):
    """A place that was not allowed (`allow=`), or whose credentials are missing."""


class MismatchError(Error, ValueError):
    """Two things disagree: a run and the store that it should be added to, a message and its array."""


class GribError(Error, ValueError):
    """Bytes that are damaged, or of a kind that cannot be decoded."""


class IncompleteWarning(UserWarning):
    """Something was missing; what there was has been done."""
