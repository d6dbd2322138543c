"""Every kind of hostile request, 25 variations and more of each, to the real server while a run trains there.

None ends the server, holds it up, or is answered with what only the log may know. At the end the run is as it was.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.core.paths import ROOT
from gan.web.middleware import SecurityHeaders, content_policy
from tests.conftest import until
from tests.damage import seeds_for_a_while
from tests.web.hostile.asking import VARIATIONS, Answer, Ask, Kind, answered
from tests.web.hostile.kinds import KINDS, table
from tests.web.hostile.site import Site, is_fine, opened

MOST_BYTES = 100 << 20  # more memory, while a kind is answered
MOST_SECONDS = 1.0  # of processor time for an answer, besides the training
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells what a thread of another process spends")
    with opened(tmp_path_factory.mktemp("hostile")) as site:
        before = site.step()
        yield site
        check_unharmed(site, before)


def check_unharmed(site: Site, before: int) -> None:
    """After all that was sent somebody's run is as it was, and goes on."""
    told = site.told()
    assert told["status"] == "running" and told["title"] != "Taken"
    until(lambda: site.step() > before)
    assert is_fine(site.losses())
    assert json.loads(site.app.read("lesson"))["train"]
    assert site.app.get(f"runs/{site.target.mine}")["id"] == site.target.mine


def ask_all(site: Site, kind: Kind, asks: list[Ask]) -> list[tuple[Answer, float]]:
    """The answers, and how much processor time each took."""
    if kind.together:
        before = site.seconds()
        with ThreadPoolExecutor(len(asks)) as senders:
            answers = list(senders.map(lambda asked: answered(site.target.port, asked), asks))
        return [(answer, (site.seconds() - before) / len(asks)) for answer in answers]
    found = []
    for asked in asks:
        before = site.seconds()
        answer = answered(site.target.port, asked)
        found.append((answer, site.seconds() - before))
    return found


def check_answer(site: Site, kind: Kind, answer: Answer) -> None:
    assert answer.status in kind.statuses, (answer.status, answer.body[:300])
    text = answer.body.decode("utf-8", "replace")
    assert not [place for place in site.places() if place in text], text[:300]
    assert "x-injected" not in answer.headers and "access-control-allow-origin" not in answer.headers
    if not answer.status or not kind.sentence:
        return
    assert answer.headers["x-content-type-options"] == "nosniff" and "content-security-policy" in answer.headers
    if answer.status >= 400 and answer.body:  # an answer to HEAD has none
        words = json.loads(text)["error"]
        assert words.endswith(".") and "\n" not in words and len(words) < 1000, words


def send_kind(site: Site, name: str, seed: str) -> None:
    kind = KINDS[name]
    asks = list(kind.make(site.target, random.Random(seed)))
    assert len(asks) >= VARIATIONS
    site.forget_peak()
    before = site.memory()
    for answer, seconds in ask_all(site, kind, asks):
        check_answer(site, kind, answer)
        assert seconds < MOST_SECONDS
    assert site.memory(peak=True) - before < MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_hostile_requests_are_refused_in_words_and_cost_little(site: Site, name: str) -> None:
    send_kind(site, name, name)


@pytest.mark.thorough
def test_other_variations_fare_no_better(site: Site) -> None:
    for seed in itertools.islice(seeds_for_a_while(60), 20):
        for name in KINDS:
            send_kind(site, name, f"{name} {seed}")


# SECURITY.md -----------------------------------------------------------------------------------------------------


def section(title: str) -> str:
    return SECURITY.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_document_lists_every_kind() -> None:
    assert len(KINDS) >= 40
    assert re.findall(r"^\|.*$", section("Hostile requests"), re.MULTILINE) == table()


def test_the_document_names_every_directive_and_header() -> None:
    named = set(re.findall(r"^\| `([a-z-]+)", section("Headers"), re.MULTILINE))
    directives = {directive.split(" ")[0] for directive in content_policy().split("; ")}
    headers = {name.decode() for name, _ in SecurityHeaders(lambda *_: None).headers}  # type: ignore[arg-type,return-value]
    assert named == directives | headers - {"content-security-policy"}
