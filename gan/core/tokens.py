"""Tokens that say who may do what: nobody guesses one, and only hashes of them are kept and compared."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable


def new_token() -> str:
    """192 random bits, as 32 characters for a header or an address."""
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def hashes_of(tokens: Iterable[str]) -> set[str]:
    """Hashes are what is compared, so that how long it takes tells nothing about a token."""
    return {hash_of(token) for token in tokens}
