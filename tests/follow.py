"""What the answers of `follow` say, for tests: of a whole run, or what is new."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gan.web.following import Columns


def answer_of(body: bytes) -> tuple[dict[str, Any], bytes]:
    """The line of JSON of an answer, and what stands behind it."""
    line, _, picture = body.partition(b"\n")
    return json.loads(line), picture


def picture_of(answer: dict[str, Any], behind: bytes, before: np.ndarray | None) -> np.ndarray | None:
    """The newest pictures, uint8 [H, W, C]: what is behind an answer added to what was shown before."""
    if "picture" not in answer:
        return before
    about = answer["picture"]
    shape = about["height"], about["width"], about["channels"]
    known = before if about["difference"] and before is not None else np.zeros(shape, np.uint8)
    after = known.ravel().copy()
    after[np.argsort(known, axis=None, kind="stable")] += np.frombuffer(behind, np.uint8)
    return after.reshape(shape)


def records_of(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The records of a kind, each as names and values; none of a run that is getting ready."""
    columns: Columns = answer.get("records", {}).get(kind, {})
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def steps_of(answer: dict[str, Any], kind: str) -> list[int]:
    return answer.get("records", {}).get(kind, {}).get("step", [])
