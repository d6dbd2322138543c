"""What a person is told when something goes wrong: one sentence, and the status by which the page's server says it.

A fault that a person can mend is raised as a UserError where it is known. `as_user_error` alone decides which others
have words for a person; whatever is left is a fault of the program, for its log.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from gan.core.messages import say


class UserError(ValueError):
    """What somebody asked for cannot be done; the message is one sentence that says why.

    status: of an HTTP answer with this sentence, 400 to 599. details: what such an answer tells the page besides.
    """

    status: ClassVar[int] = 400
    details: Mapping[str, object] = MappingProxyType({})

    @property
    def message(self) -> str:
        """The sentence; a Message where it stands in the catalogue, of which str() keeps only the text."""
        return self.args[0] if self.args else ""


class Forbidden(UserError):
    """Only others may do this."""

    status = 403


class Missing(UserError):
    """There is no such thing."""

    status = 404


class FileTrouble(UserError):
    """The system would not read or write a file."""

    status = 507


def as_user_error(problem: BaseException, *, paths: bool) -> UserError | None:
    """What a person is told of a failure; None where nobody expected it.

    paths: whether this person may read names of files: who sits at the machine may, a visitor of the page not.
    """
    if isinstance(problem, UserError):
        return problem
    if isinstance(problem, OSError):
        return FileTrouble(_named(problem) if paths else _unnamed(problem))
    return None


def _named(problem: OSError) -> str:
    if problem.filename is None:
        return str(problem)
    return say("core.file_trouble", file=problem.filename, reason=problem.strerror)


def _unnamed(problem: OSError) -> str:
    return say("core.server_file_trouble", reason=problem.strerror or say("core.disk_error"))
