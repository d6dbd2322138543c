"""Files that were sent stay for a while, so that size, colours and fit can be changed without sending them again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from gan.core.messages import say
from gan.core.tokens import new_token
from gan.runs.errors import NotFound
from gan.web.routes.uploads import Upload

KEPT_SECONDS = 30 * 60.0  # since the last use
MOST_KEPT_BYTES = 1 << 30  # of all together: two of the largest
MOST_KEPT = 64  # each is an open file


class KeptUploads:
    """Uploads by ids that nobody guesses; what is too old or too much is dropped, what was used longest ago first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: dict[str, tuple[Upload, float]] = {}  # with the time of its last use; that longest ago first

    def keep(self, upload: Upload) -> str:
        """Returns its id. Drops others where they are too many."""
        key = new_token()
        self._put(key, upload)
        while len(self._kept) > MOST_KEPT or sum(u.weight for u, _ in list(self._kept.values())) > MOST_KEPT_BYTES:
            self.drop_oldest()
        return key

    def get(self, key: str) -> Upload:
        """Raises NotFound, in words, when it is no longer here."""
        self.forget_old()
        with self._guard:
            found = self._kept.pop(key, None)
        if found is None:
            raise NotFound(say("web.files_gone"))
        self._put(key, found[0])
        return found[0]

    def _put(self, key: str, upload: Upload) -> None:
        with self._guard:
            self._kept[key] = (upload, self._clock())
        asyncio.get_running_loop().call_later(KEPT_SECONDS + 1, self.forget_old)

    def drop(self, key: str) -> None:
        """Let go of one, if it is still here."""
        with self._guard:
            found = self._kept.pop(key, None)
        if found:
            found[0].drop()

    def drop_oldest(self) -> bool:
        """Make room; False where nothing is kept."""
        oldest = next(iter(list(self._kept)), None)
        if oldest is not None:
            self.drop(oldest)
        return oldest is not None

    def forget_old(self) -> None:
        """Drop what was not used for KEPT_SECONDS."""
        end = self._clock() - KEPT_SECONDS
        for key, (_, used) in list(self._kept.items()):
            if used < end:
                self.drop(key)
