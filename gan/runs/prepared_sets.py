"""The prepared pictures in one folder, and who may manage them.

Sets are named by their content, so whoever prepares the same pictures gets the same set: each has a claim on it, and it
goes with the last one. The hashes of the claims' tokens lie beside a set, in NAME.claims.json, each with what became of
that person's files: nobody is told of another's. What was prepared from the command line, or by an older version, stays
its owner's, whoever else claims it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from gan.core.files import write_atomically
from gan.core.messages import say
from gan.core.tokens import hash_of, hashes_of, new_token
from gan.data.catalog import OWN_NAME, DataError, forget
from gan.data.own_pictures import Prepared, Summary, summary_of, take_in

MOST_CLAIMS = 1_000  # of one set; the oldest of more ends
HOSTS = "host"  # stands among the hashes where a set was here without claims: it goes with the owner's of the program
MOST_BYTES = 4 << 30  # of all sets together


class PreparedSets:
    """The sets in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.RLock()

    def path(self, name: str) -> Path | None:
        """The file of a set; None where it is not here, or the name is none of prepared pictures."""
        path = self.folder / f"{name}.safetensors"
        return path if OWN_NAME.fullmatch(name) and path.is_file() else None

    def bytes_of(self, name: str) -> int:
        """The length of a set's file; 0 where it is not here."""
        path = self.path(name)
        return path.stat().st_size if path else 0

    def check_room(self) -> None:
        """Raises DataError where no more sets may be prepared."""
        if sum(p.stat().st_size for p in self.folder.glob("*") if p.is_file()) > MOST_BYTES:
            raise DataError(say("runs.no_room_for_pictures"))

    def made(self, make: Callable[[], Prepared], tokens: Iterable[str] = ()) -> tuple[Prepared, str]:
        """Let a set be prepared: with a token that claims it. Raises DataError, and what `make` raises."""
        before = {path.stem for path in self.folder.glob("own-*.safetensors")}
        prepared = make()
        return prepared, self._claim(prepared, tokens, prepared.name not in before)

    def _claim(self, made: Prepared, tokens: Iterable[str], is_new: bool) -> str:
        """One of the tokens where it claims the set already, else a new one; and what it is told of the set."""
        with self._guard:
            if not self.path(made.name):
                raise DataError(say("runs.pictures_deleted"))
            known = self._read(made.name)
            if not known and not is_new:
                known[HOSTS] = None
            token = next((token for token in tokens if hash_of(token) in known), None) or new_token()
            known.pop(hash_of(token), None)
            known[hash_of(token)] = made.summary.to_json()  # the newest last
            for oldest in [claim for claim in known if claim != HOSTS][:-MOST_CLAIMS]:
                del known[oldest]
            self._write(made.name, known)
            return token

    def is_claimed(self, name: str, tokens: Iterable[str]) -> bool:
        """Whether one of the tokens claims a set."""
        return not hashes_of(tokens).isdisjoint(self._read(name))

    def has_claims(self, name: str) -> bool:
        """Whether a set is somebody's; not so from the command line, as long as nobody else prepared the same."""
        return bool(self._read(name))

    def own_summary(self, name: str, tokens: Iterable[str]) -> Summary | None:
        """What became of the files of who has these tokens; None without a claim, or with one of an older version."""
        known, given = self._read(name), hashes_of(tokens)
        newest = next((said for claim, said in reversed(known.items()) if claim in given and said), None)
        return Summary.stored(newest)

    def summary(self, name: str, tokens: Iterable[str], whoever: bool = False) -> Summary:
        """What who has these tokens is told of a set: of his own files, else what all may know. Raises DataError.

        whoever: without a claim, too, what stands in the set's own file.
        """
        if own := self.own_summary(name, tokens):
            return own
        said = summary_of(self.folder / f"{name}.safetensors")
        return said if whoever or not self.has_claims(name) else said.public()

    def install(self, file: Path, name: str, title: str = "") -> str:
        """Take over a stranger's prepared file where the set is not here yet. Returns a token that claims it.

        title: how its owner calls it. Raises DataError where it does not hold that set, or there is no room; OSError.
        """
        if not self.path(name):
            self.check_room()
        return self.made(lambda: take_in(file, name, self.folder, title))[1]

    def give_up(
        self, name: str, tokens: Iterable[str], whoever: bool = False, check: Callable[[], None] = lambda: None
    ) -> bool:
        """Take these tokens' claims away, and the set with the last claim. Returns whether the set is gone.

        whoever: where none of the tokens claims it, the set goes all the same. check: asked before the set itself is
        removed; what it raises is passed on, and nothing changes.
        """
        with self._guard:
            known, given = self._read(name), hashes_of(tokens)
            others = {claim: said for claim, said in known.items() if claim not in given}
            if len(others) == len(known) and not whoever:
                return False
            if others and len(others) < len(known):
                self._write(name, others)
                return False
            check()
            for path in (self.folder / f"{name}.safetensors", self._beside(name)):
                path.unlink(missing_ok=True)
            forget(name, self.folder)
            return True

    def _beside(self, name: str) -> Path:
        return self.folder / f"{name}.claims.json"

    def _read(self, name: str) -> dict[str, str | None]:
        """hash -> what its owner is told of the set, as JSON; None from older versions, which had a list of the hashes.

        Nothing where there is no file. Where it is damaged the set is that of the owner of the program.
        """
        if not OWN_NAME.fullmatch(name) or not self._beside(name).is_file():  # so that a name can never be a path
            return {}
        try:
            found = json.loads(self._beside(name).read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {str(claim): None for claim in found}
        except (OSError, ValueError, TypeError, RecursionError):
            return {HOSTS: None}

    def _write(self, name: str, claims: dict[str, str | None]) -> None:
        write_atomically(self._beside(name), json.dumps(claims).encode())
