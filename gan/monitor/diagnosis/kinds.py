"""What can be said of a run: one entry for each kind of verdict, with its words. Which one applies: rules.py."""

from __future__ import annotations

from dataclasses import dataclass

from gan.core.messages import labelled, say

ALARMS = ("warning", "error")  # severities that want somebody to act
TOO_EARLY = "too-early"  # stands where a kind's key does while there is no verdict
WAIT = say("diagnosis.wait")


@dataclass(frozen=True)
class Words:
    """severity: "fine", "note" or one of ALARMS. early: the title in a young run. All but it is in the catalogue."""

    severity: str
    title: str = ""
    why: str = ""
    try_: str = ""
    early: str = ""


KINDS: dict[str, Words] = {
    "divergence": Words("error"),
    "single-colour": Words("warning"),
    "cannot-paint-black": Words("warning"),
    "memorisation": Words("warning"),
    "mode-collapse": Words("warning"),
    "partial-collapse": Words("warning"),
    "not-learning": Words("warning"),
    "oscillation": Words("warning"),
    "discriminator-too-strong": Words("warning"),
    "generator-too-strong": Words("warning"),
    "getting-worse": Words("warning"),
    "plateau": Words("note"),
    "learning": Words("fine"),
    "incomparable": Words("fine"),
    "cannot-tell": Words("fine"),
    "healthy": Words("fine"),
}
KINDS = labelled("verdicts", KINDS, "title", "why", "try_", "early")
