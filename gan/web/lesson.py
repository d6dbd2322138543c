"""A lesson: what its teacher decides for all pages that are open. It lives in memory, and ends with the program."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict
from urllib.parse import parse_qsl

from gan.core.errors import UserError
from gan.core.messages import say
from gan.latent import query
from gan.runs.meta import is_count
from gan.web.routes import queries

MOST_RAISED = 60  # pictures that students have raised and the teacher has not put away
MOST_OF_TEACHER = 200  # runs
MOST_OF_NAME = 16  # letters
MOST_LETTERS = 20_000  # of a picture's query, which may hold a whole latent and twelve directions
MOST_STATES, MOST_STATE_LETTERS = 200, 20_000  # of an address that the class is sent to
# What a page may leave out: its tabs but Train, and parts of that.
PARTS = ("compare", "wall", "latent", "interpolation", "game", "how", "setup", "diagnosis", "numbers")
TABS = ("train", *PARTS[:6])
_WEIGHTS = re.compile(r"[A-Za-z0-9@._-]{1,100}")
_BY = re.compile(r"[A-Za-z0-9_-]{12,40}")
_RUN = re.compile(r"[A-Za-z0-9_-]{6,40}")
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,39}", re.IGNORECASE)


class LessonError(UserError):
    """What a lesson cannot show; the message is one sentence."""


class Screen(TypedDict):
    """What the class sees: a run, at a step or as it is now; or a picture, by its query; or nothing yet.

    game: whether the class's score with the run's pictures stands beside it. name: of who drew the picture, where the
    teacher allows names and has not hidden this one.
    """

    run: str | None
    step: int | None
    picture: str | None
    game: bool
    name: str


class Here(TypedDict):
    """Where the class was sent last. number: 1, 2, ...; state: of the tab, as its address has it."""

    number: int
    tab: str
    state: dict[str, str]


class Raised(TypedDict):
    """A picture that a student wants to show; name: a nickname, "" where there is none."""

    id: str
    picture: str
    name: str


class Told(TypedDict):
    """A lesson as pages hear of it; raised: only its teacher's."""

    on: bool
    train: bool  # whether everybody may train
    names: bool  # whether students may sign with a nickname
    hidden: list[str]  # of PARTS
    screen: Screen
    here: Here | None
    raised: list[Raised] | None


@dataclass(frozen=True)
class _State:
    train: bool = True
    names: bool = False
    hidden: tuple[str, ...] = ()
    screen: Screen = field(default_factory=lambda: Screen(run=None, step=None, picture=None, game=False, name=""))
    here: Here | None = None


class Lesson:
    """Safe for threads. on: whether there is a lesson at all."""

    def __init__(self, on: bool = False) -> None:
        self.on = on
        self._state, self._calls = _State(), 0
        self._raised: OrderedDict[str, Raised] = OrderedDict()  # by who raised it; the newest last
        self._guard = threading.Lock()
        self.of_teacher: deque[str] = deque(maxlen=MOST_OF_TEACHER)  # ids of runs that the teacher started

    @property
    def lets_train(self) -> bool:
        return self._state.train

    def told(self, teacher: bool = False) -> Told:
        state = self._state
        with self._guard:
            raised = [self._signed(one) for one in self._raised.values()] if teacher else None
        return {
            "on": self.on,
            "train": state.train,
            "names": state.names,
            "hidden": list(state.hidden),
            "screen": state.screen if state.names else {**state.screen, "name": ""},
            "here": state.here,
            "raised": raised,
        }

    # What the teacher does ----------------------------------------------------------------------------------------

    def change(self, wanted: Mapping[str, Any]) -> None:
        """train, names: bool, hidden: some of PARTS, screen: see Screen, here: {tab, state} or None.

        Raises LessonError or BadQuery; nothing is changed then.
        """
        self._check()
        found: dict[str, Any] = {}
        for name in ("train", "names"):
            if name in wanted:
                found[name] = wanted[name] is True
        if "hidden" in wanted:
            found["hidden"] = _hidden(wanted["hidden"])
        if "screen" in wanted:
            found["screen"] = _screen(wanted["screen"])
        with self._guard:
            if "here" in wanted:
                found["here"] = _here(wanted["here"], self._calls + 1)
                self._calls += found["here"] is not None
            self._state = replace(self._state, **found)

    def started(self, run_id: str, shown: bool) -> None:
        """The teacher has begun a run: the class sees it, if everybody may."""
        self.of_teacher.append(run_id)
        if self.on and shown:
            self.change({"screen": {"run": run_id}})

    def put_away(self, raised_id: str = "") -> None:
        """One picture, or all of them."""
        with self._guard:
            for by, raised in list(self._raised.items()):
                if raised_id in ("", raised["id"]):
                    del self._raised[by]
                    self._hide_shown_name(raised)

    def hide_name(self, raised_id: str) -> None:
        """Of a raised picture; where the class sees that picture, there too."""
        with self._guard:
            for by, raised in self._raised.items():
                if raised["id"] == raised_id:
                    self._raised[by] = {**raised, "name": ""}
                    self._hide_shown_name(raised)

    def _hide_shown_name(self, raised: Raised) -> None:
        """With the guard held."""
        if self._state.screen["picture"] == raised["picture"]:
            self._state = replace(self._state, screen={**self._state.screen, "name": ""})

    # What students do ---------------------------------------------------------------------------------------------

    def raise_picture(self, by: object, picture: object, name: object = "") -> None:
        """A student, who is known by a word that the page made up, wants to show a picture instead of the one before.

        name: is not kept where the teacher allows none. Raises LessonError or BadQuery.
        """
        self._check()
        if not isinstance(by, str) or not _BY.fullmatch(by):
            raise LessonError(say("lesson.who"))
        raised = Raised(
            id=secrets.token_urlsafe(9), picture=_picture(picture), name=_name(name) if self._state.names else ""
        )
        with self._guard:
            if by not in self._raised and len(self._raised) >= MOST_RAISED:
                raise LessonError(say("lesson.full"))
            self._raised.pop(by, None)
            self._raised[by] = raised

    def _signed(self, raised: Raised) -> Raised:
        """Names are hidden as soon as the teacher no longer allows them."""
        return raised if self._state.names else {**raised, "name": ""}

    def _check(self) -> None:
        if not self.on:
            raise LessonError(say("lesson.none"))


def _hidden(names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(name in PARTS for name in names):
        raise LessonError(say("lesson.wrong_parts", known=list(PARTS)))
    return tuple(name for name in PARTS if name in names)


def _screen(wanted: object) -> Screen:
    if not isinstance(wanted, dict):
        raise LessonError(say("lesson.wrong_screen"))
    run, step, picture = (wanted.get(name) for name in ("run", "step", "picture"))
    is_run = run is None or (isinstance(run, str) and _RUN.fullmatch(run))
    is_step = step is None or is_count(step, 10**12)
    if not is_run or not is_step or (run and picture):
        raise LessonError(say("lesson.wrong_screen"))
    game, name = wanted.get("game") is True and bool(run), _name(wanted.get("name") or "") if picture else ""
    shown = _picture(picture) if picture else None
    return Screen(run=run, step=step if run else None, picture=shown, game=game, name=name)


def _name(text: object) -> str:
    """A nickname, short and of letters that stay in their line."""
    found = " ".join(text.split()) if isinstance(text, str) else None
    if found is None or len(found) > MOST_OF_NAME or any(unicodedata.category(c)[0] == "C" for c in found):
        raise LessonError(say("lesson.wrong_name", most=MOST_OF_NAME))
    return found


def _here(wanted: object, number: int) -> Here | None:
    if wanted is None:
        return None
    tab, state = (wanted.get("tab"), wanted.get("state")) if isinstance(wanted, dict) else (None, None)
    if tab not in TABS or not isinstance(state, dict) or not _is_state(state):
        raise LessonError(say("lesson.wrong_place"))
    return Here(number=number, tab=tab, state=state)


def _is_state(state: Mapping[str, object]) -> bool:
    known = all(_NAME.fullmatch(name) and isinstance(value, str) for name, value in state.items())
    return known and len(state) <= MOST_STATES and sum(len(str(v)) for v in state.values()) <= MOST_STATE_LETTERS


def _picture(text: object) -> str:
    """The query of a picture with its weights, checked and written anew."""
    if not isinstance(text, str) or len(text) > MOST_LETTERS:
        raise LessonError(say("lesson.wrong_picture"))
    try:
        parts = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise LessonError(say("lesson.wrong_picture")) from None
    weights, _, _ = queries.weights_of(parts), query.spec_of(parts), queries.class_of(parts)
    if not _WEIGHTS.fullmatch(weights):
        raise LessonError(say("lesson.wrong_picture"))
    return f"w={weights}&{query.written(parts)}".removesuffix("&")
