"""Answers that tell the progress of a job: line by line, a sentence where it fails, and its end with the visitor's."""

import json
import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.messages import say
from gan.data.catalog import DataError
from gan.latent.query import BadQuery
from gan.serving.worker import Busy, Cancelled, Job, Worker
from gan.web.routes.answers import BASE, routes_of, stream
from tests.conftest import PATIENCE, listening, port_of, until


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.close()


def app_of(worker: Worker, work, jobs: list[Job]) -> Starlette:
    """An app with one route, whose job is work(tell, check)."""

    async def endpoint(_):
        def start(tell):
            jobs.append(worker.submit(lambda check: work(tell, check)))
            return jobs[-1]

        return stream(start, {"first": True})

    return Starlette(routes=routes_of({"POST job": endpoint}))


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_a_job_tells_comes_line_by_line_behind_the_first(worker):
    def work(tell, check):
        for i in range(3):
            tell({"i": i})

    answer = TestClient(app_of(worker, work, [])).post(f"{BASE}/job")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert lines(answer.text) == [{"first": True}, {"i": 0}, {"i": 1}, {"i": 2}]


@pytest.mark.parametrize(("problem", "words"), [(BadQuery("This is why."), "This is why."), (KeyError(), "its log")])
def test_a_job_that_fails_ends_with_a_sentence(worker, problem, words):
    def work(tell, check):
        tell({"i": 0})
        raise problem

    *before, last = lines(TestClient(app_of(worker, work, [])).post(f"{BASE}/job").text)
    assert before == [{"first": True}, {"i": 0}] and words in last["problem"]


def test_too_many_jobs_are_an_answer_like_any_other(worker):
    def start(tell):
        raise Busy("Too many.")

    async def endpoint(_):
        return stream(start)

    app = Starlette(routes=routes_of({"POST job": endpoint}))
    answer = TestClient(app).post(f"{BASE}/job")
    assert answer.status_code == 503 and answer.json() == {"error": "Too many."}


def test_an_error_says_where_its_sentence_comes_from():
    async def endpoint(_):
        raise DataError(say("data.no_class", name="cow", classes=["cat", "dog"]))

    answer = TestClient(Starlette(routes=routes_of({"GET x": endpoint}))).get(f"{BASE}/x")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "There is no class “cow”; there are cat, dog.",
        "messages": {"error": {"key": "data.no_class", "values": {"name": "cow", "classes": ["cat", "dog"]}}},
    }


def test_the_lines_of_a_job_say_where_their_texts_come_from(worker):
    def work(tell, check):
        tell({"said": say("data.pictures_read", read=3, total=1000)})
        raise DataError(say("data.no_classes"))

    _, told, last = lines(TestClient(app_of(worker, work, [])).post(f"{BASE}/job").text)
    assert told["said"] == "3 of 1,000 pictures read." and told["messages"]["said"]["values"]["total"] == 1000
    assert last["messages"] == {"problem": {"key": "data.no_classes", "values": {}}}


def test_a_visitor_who_leaves_ends_the_job_that_runs(worker):
    def work(tell, check):
        tell({"i": 0})
        while True:
            check()

    jobs: list[Job] = []
    with listening(app_of(worker, work, jobs)) as server:
        with closing(HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE)) as visitor:
            visitor.request("POST", f"{BASE}/job")
            answer = visitor.getresponse()
            assert [json.loads(answer.readline()) for _ in range(2)] == [{"first": True}, {"i": 0}]
        answer.close()
        assert isinstance(jobs[0].exception(PATIENCE), Cancelled)
        assert worker.submit(lambda _: "next").result(PATIENCE) == "next"


def test_a_visitor_who_leaves_before_the_job_has_begun_takes_it_along(worker):
    go, jobs, begun = threading.Event(), [], []
    worker.submit(lambda _: go.wait(PATIENCE))
    with listening(app_of(worker, lambda tell, check: begun.append(1), jobs)) as server:
        with closing(HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE)) as visitor:
            visitor.request("POST", f"{BASE}/job")
            answer = visitor.getresponse()
            assert json.loads(answer.readline()) == {"first": True}
        answer.close()
        until(jobs[0].cancelled)
    go.set()
    worker.submit(lambda _: None).result(PATIENCE)
    assert not begun
