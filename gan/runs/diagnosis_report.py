"""What the diagnosis says of a run, for whoever asks: one dictionary (the page's route, `--json`), and it as text.

Nothing here writes: a run that another process trains at the moment is read as it lies on the disk.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from gan.core.config import KNOBS, Changes, Config, value_in_words
from gan.core.messages import with_messages
from gan.monitor.diagnosis import Verdict
from gan.monitor.diagnosis.kinds import TOO_EARLY
from gan.monitor.diagnosis.past import Past
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.run import Run

Answer = dict[str, Any]


def past_of(run: Run, step: int | None = None) -> Past:
    """What the run has written down until a step (None: all): copies, because the run's thread goes on writing."""
    h = run.history
    past = Past(run.config, list(h.rows), list(h.signals), list(h.events), list(h.measures))
    return past if step is None else past.until(step)


def last_step(run: Run) -> int:
    """The last step of which a run has written down anything; 0 where there is nothing."""
    past = past_of(run)
    return max(past.step, *(event["step"] for event in past.events[-1:]), 0)


def answer(run: Run, verdicts: Sequence[Verdict]) -> Answer:
    """What `runs/ID/diagnosis` and `diagnose --json` say: {verdicts, cure}, ready for JSON.

    Each verdict has the fields of Verdict (`try` for try_); in words `changes` (its remedy) and `everything_changes`.
    A fork that an earlier verdict asks for is offered there alone. cure: of a run that fails on purpose; else None.
    """
    shown, forks = [], []
    for verdict in verdicts:
        fork = verdict.remedy, verdict.fork_step
        without = replace(verdict, remedy={}, fork_step=None, everything={}, everything_step=None)
        shown.append(_shown(run.config, without if fork in forks else verdict))
        forks.append(fork)
    return with_messages({"verdicts": shown, "cure": _cure(run.config)})


def _shown(config: Config, verdict: Verdict) -> dict[str, Any]:
    fields = asdict(verdict)
    in_words = {"changes": verdict.remedy, "everything_changes": verdict.everything}
    return fields | {"try": fields.pop("try_")} | {name: _changes(config, found) for name, found in in_words.items()}


def _cure(config: Config) -> dict[str, Any] | None:
    """Of a run that fails on purpose: what cures it."""
    recipe = ALL_RECIPES.get(config.recipe)
    if recipe is None or not recipe.cure or all(getattr(config, k) == v for k, v in recipe.cure.items()):
        return None
    return {"remedy": recipe.cure, "about": recipe.cure_about, "changes": _changes(config, recipe.cure)}


def _changes(config: Config, remedy: Changes) -> list[dict[str, str]]:
    """Which setting goes from what to what, in words; what stays as it is is left out."""
    return [
        {
            "label": KNOBS[name].label,
            "from": value_in_words(name, getattr(config, name)),
            "to": value_in_words(name, value),
        }
        for name, value in remedy.items()
        if getattr(config, name) != value
    ]


# As text ---------------------------------------------------------------------------------------------------------


def lines(run: Run, said: Answer, step: int) -> list[str]:
    """All of an answer, which speaks of a step. The first line is the first verdict's kind alone, or TOO_EARLY."""
    first, *others = said["verdicts"] or [_early(step)]
    cure = said["cure"]
    text = _block(run, first, cure)
    text[1] += f" · at step {step:,}"
    for verdict in others:
        text += ["", *_block(run, verdict, cure)]
    if cure:
        text += ["", f"The cure: {cure['about']}", *_fork(run, cure | {"fork_step": 0})]
    return text


def short_lines(run: Run, said: Answer, step: int) -> list[str]:
    """Only what comes first: its kind alone, then what was seen, then where there is more."""
    first = (said["verdicts"] or [_early(step)])[0]
    more = f"Why, and what to try: python -m gan diagnose {shlex.quote(str(run.folder))}"
    return [first["kind"], f"{first['title']}. {first['seen']}", *([more] if said["verdicts"] else [])]


def _early(step: int) -> dict[str, Any]:
    seen = f"What this run has written down until step {step:,} is too little for a diagnosis."
    return {"kind": TOO_EARLY, "title": "Too early to tell", "seen": seen}


def _block(run: Run, verdict: dict[str, Any], cure: dict[str, Any] | None) -> list[str]:
    """One verdict. Of a run that fails on purpose only the cure is offered, which is known to work; as in the page."""
    heads = {"seen": "What was seen", "sure": "How sure it is", "why": "Why it happens", "try": "What to try"}
    said = [f"{head}: {verdict[name]}" for name, head in heads.items() if verdict.get(name)]
    fork = _fork(run, verdict) if verdict.get("changes") and not cure else []
    if fork and verdict["everything"]:
        all_back = _command(run, verdict["everything"], verdict["everything_step"])
        fork.append(f"All {len(verdict['everything'])} settings back to the recipe's: {all_back}")
    return [verdict["kind"], verdict["title"], *said, *fork]


def _fork(run: Run, wanted: dict[str, Any]) -> list[str]:
    """What a fork would change and where it would begin, and the command that makes it."""
    step = wanted["fork_step"] or 0
    begins = f"A fork from step {step:,}" if step else "A fork from the beginning"
    changes = [f"  {change['label']}: {change['from']} → {change['to']}" for change in wanted["changes"]]
    return [f"{begins} would change:", *changes, f"To make it: {_command(run, wanted['remedy'], step)}"]


def _command(run: Run, settings: dict[str, Any], step: int) -> str:
    flags = [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in settings.items()]
    return f"python -m gan train --fork {shlex.quote(str(run.folder))} --at {step} {' '.join(flags)}"
