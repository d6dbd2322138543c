"""Who looks at a run, and since when nobody does."""

from __future__ import annotations

import time

WATCHED_SECONDS = 4.0  # somebody asked for a picture within this time


class Watched:
    """What is known of those who look. Asking for a picture changes nothing: who looks says so."""

    def __init__(self) -> None:
        self._watched_at = self._followed_at = self._glanced_at = -1e9

    def watch(self, weights: bool = False) -> None:
        """Somebody is looking: live frames are made for the next few seconds; weights: with what drew them."""
        self._watched_at = time.monotonic()
        if weights:
            self._followed_at = self._watched_at

    def glance(self) -> None:
        """Somebody looks at many runs, of which this is one: it has live frames, but no place before others'."""
        self._glanced_at = time.monotonic()

    @property
    def is_watched(self) -> bool:
        return time.monotonic() - max(self._watched_at, self._glanced_at) < WATCHED_SECONDS

    @property
    def is_followed(self) -> bool:
        """Whether somebody wants the weights that draw its pictures."""
        return time.monotonic() - self._followed_at < WATCHED_SECONDS

    def unwatched_seconds(self) -> float:
        """How long ago somebody looked at it, and not only at the wall."""
        return time.monotonic() - self._watched_at
