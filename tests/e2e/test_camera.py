"""Pictures from the camera: here a canvas that changes its colour, because no browser without windows has a camera."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, opened, part
from tests.e2e.test_own_pictures import about, shown_set

CAMERA = """
const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 480});
let turn = 0;
function draw() {
  const pen = canvas.getContext('2d');
  pen.fillStyle = `hsl(${turn++ % 360} 80% 50%)`;
  pen.fillRect(0, 0, 640, 480);
  requestAnimationFrame(draw);
}
navigator.mediaDevices.getUserMedia = async ({video, audio}) => {
  if (!video || audio) throw new Error('not what is needed');
  draw();
  return (window.stream = canvas.captureStream());
};
"""
REFUSED = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') }"
LET_GO = "stream.getTracks().every(({readyState}) => readyState === 'ended')"


def own_pictures(page: Any, does: str) -> Any:
    """The form for own pictures, in a browser whose camera does that."""
    page.add_init_script(does)
    page.reload()
    part(opened(page), "train", "dataset").select_option("own")
    return page


def looking(page: Any) -> None:
    """Open the camera, and wait until it is seen."""
    part(page, "train", "own-camera").click()
    page.wait_for_function("document.querySelector('[data-gf=camera-video]').videoWidth > 0")


def test_forty_moments_become_a_set(server, visit):
    page = own_pictures(visit(server.url()), CAMERA)
    expect(part(page, "train", "camera")).to_be_hidden()
    looking(page)
    part(page, "train", "camera-take").click()
    expect(part(page, "train", "camera-note")).to_contain_text("of 40")
    name = shown_set(page)
    expect(about(page)).to_contain_text("40 pictures")
    card = server.get(f"pictures/{name}")
    assert [card["size"], card["channels"]] == [64, 3]
    assert page.evaluate(LET_GO)


def test_it_is_let_go_when_somebody_thinks_better_of_it(server, visit):
    page = own_pictures(visit(server.url()), CAMERA)
    looking(page)
    part(page, "train", "camera-take").click()
    expect(part(page, "train", "camera-note")).to_contain_text("of 40")
    part(page, "train", "camera-close").click()
    expect(part(page, "train", "camera")).to_be_hidden()
    assert page.evaluate(LET_GO)
    expect(part(page, "train", "dataset")).to_have_value("own")
    looking(page)  # and opened again
    assert not page.evaluate(LET_GO)


def test_without_leave_or_over_plain_http_files_are_offered(server, visit):
    page = own_pictures(visit(server.url()), REFUSED)
    part(page, "train", "own-camera").click()
    note = part(page, "train", "camera-note")
    expect(note).to_have_text("The camera was not allowed. Allow it in the browser's address bar, or choose files.")
    plain = opened(visit(server.url(host=STRANGER)))
    part(plain, "train", "dataset").select_option("own")
    part(plain, "train", "own-camera").click()
    expect(part(plain, "train", "camera-note")).to_contain_text("only to pages over https")
    expect(part(plain, "train", "camera")).to_be_hidden()
