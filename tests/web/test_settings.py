"""Flags and the environment of `python app.py`: every wrong value is one sentence, and none is taken silently."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import main
from gan.runs.eviction import OWN_MACHINE, PUBLIC
from gan.web import server
from gan.web.addresses import check_address, is_loopback, open_addresses, owner_link
from gan.web.server import welcome
from gan.web.settings import Settings, StartError, default_runs, read_settings


def test_the_environment_gives_defaults_and_flags_win():
    told = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "7979", "GRADIO_ROOT_PATH": "/gan/"}
    found = read_settings(["--runs", "r"], told)
    assert (found.host, found.port, found.root_path) == ("0.0.0.0", 7979, "/gan")
    found = read_settings(["--host", "[::1]", "--port", "8000", "--root-path", "/x/y", "--runs", "r"], told)
    assert (found.host, found.port, found.root_path) == ("::1", 8000, "/x/y")
    assert read_settings([], told | {"GAN_FORGE_RUNS": "elsewhere"}).runs == Path("elsewhere")


def test_on_a_space_it_listens_to_all_and_opens_nothing():
    found = read_settings(["--runs", "r"], {"SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space", "DISPLAY": ":0"})
    assert found.on_space and found.host == "0.0.0.0" and not found.browser
    assert owner_link(found, "T") == "https://a-b.hf.space/#owner=T"
    assert owner_link(read_settings(["--runs", "r"], {"SPACE_ID": "a/b"}), "T") == "http://localhost:7860/#owner=T"


def test_strangers_are_let_in_where_it_is_said_and_on_a_space():
    assert not read_settings(["--runs", "r"], {}).public
    found = read_settings(["--runs", "r", "--public"], {"DISPLAY": ":0"})
    assert found.public and found.host == "0.0.0.0" and not found.browser
    assert read_settings(["--runs", "r", "--public", "--host", "127.0.0.1"], {}).host == "127.0.0.1"
    assert read_settings(["--runs", "r"], {"SPACE_ID": "a/b"}).public


@pytest.mark.parametrize("public", [False, True])
def test_one_visitor_has_less_where_strangers_come(tmp_path, public):
    runs = server.open_runs(read_settings(["--runs", str(tmp_path), *["--public"] * public], {}))
    assert runs.limits == (PUBLIC if public else OWN_MACHINE)
    assert runs.admission.of_visitor == (PUBLIC.under_way if public else 0)


def test_no_proxy_is_believed_that_is_not_named(capsys):
    told = {"FORWARDED_ALLOW_IPS": "10.0.0.1, 192.168.0.0/16"}
    assert read_settings(["--runs", "r"], {}).trusted_proxies == ()
    assert read_settings(["--runs", "r"], {"FORWARDED_ALLOW_IPS": "*"}).trusted_proxies == ()
    assert "Name the proxy" in capsys.readouterr().err
    assert read_settings(["--runs", "r"], told).trusted_proxies == ("10.0.0.1", "192.168.0.0/16")
    assert read_settings(["--runs", "r", "--trusted-proxy", "::1"], told).trusted_proxies == ("::1",)


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["--port", "0"], {}, "1 to 65535"),
        (["--port", "1e3"], {}, "1 to 65535"),
        ([], {"GRADIO_SERVER_PORT": "many"}, "1 to 65535"),
        (["--max-runs", "0"], {}, "1 to 64"),
        (["--max-waiting", "-1"], {}, "0 to 200"),
        (["--max-waiting", "many"], {}, "0 to 200"),
        (["--max-runs", "-3"], {}, "1 to 64"),
        (["--root-path", "gan"], {}, "/gan"),
        (["--root-path", '/"><script>'], {}, "/gan"),
        (["--frame-from", "school.example"], {}, "https://school.example"),
        (["--frame-from", "https://a.example; script-src *"], {}, "https://school.example"),
        (["--frame-from", "https://a.example:99999"], {}, "https://school.example"),
        (["--frame-from", "javascript:alert(1)"], {}, "https://school.example"),
        (["--trusted-proxy", "*"], {}, "10.0.0.0/8"),
        ([], {"FORWARDED_ALLOW_IPS": "all"}, "FORWARDED_ALLOW_IPS"),
        (["--trusted-proxy", "nginx"], {}, "10.0.0.0/8"),
        ([], {"FORWARDED_ALLOW_IPS": "127.0.0.1, *"}, "10.0.0.0/8"),
        ([], {"GAN_FORGE_PASSWORD": ""}, "at least 8"),
        ([], {"GAN_FORGE_PASSWORD": "short"}, "at least 8"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(arguments, environment, word):
    with pytest.raises(StartError, match=word) as refused:
        read_settings(arguments, environment)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@given(st.text(max_size=40))
def test_no_site_can_bring_another_rule_into_the_policy(text):
    """Whatever is accepted is one source of a policy: no space, semicolon, comma or quote."""
    try:
        (origin,) = read_settings([f"--frame-from={text}"], {}).frame_from
    except StartError:
        return
    assert not set(origin) & set(" ;,'\"\n\t") and origin.startswith(("http://", "https://"))


def test_several_sites_may_show_the_page_in_a_frame():
    sites = ["https://a.example", "http://b.example:8080"]
    found = read_settings([f"--frame-from={s}/" for s in sites], {})
    assert list(found.frame_from) == sites


def test_a_read_only_program_keeps_runs_with_the_persons_data(tmp_path, monkeypatch):
    monkeypatch.setattr("gan.web.settings._writable", lambda folder: False)
    monkeypatch.setattr("gan.web.settings.sys.platform", "linux")
    assert default_runs({"XDG_DATA_HOME": str(tmp_path)}, False) == tmp_path / "gan-forge" / "runs"
    monkeypatch.setattr("gan.web.settings._writable", lambda folder: folder == Path("/data"))
    assert default_runs({}, on_space=True) == Path("/data/runs")


def test_runs_lie_beside_the_program_where_that_can_be_written(tmp_path):
    assert default_runs({}, False, tmp_path) == tmp_path / "runs"


# Addresses -------------------------------------------------------------------------------------------------------


def settings(**changes) -> Settings:
    return Settings(**{"host": "127.0.0.1", "port": 7860, "runs": Path("runs"), "max_runs": 1, **changes})


def test_only_a_server_that_others_reach_names_addresses_for_them():
    assert open_addresses(settings()) == [] and open_addresses(settings(host="::1")) == []
    assert open_addresses(settings(host="192.0.2.7")) == ["http://192.0.2.7:7860/"]
    assert open_addresses(settings(host="2001:db8::7")) == ["http://[2001:db8::7]:7860/"]
    for address in open_addresses(settings(host="0.0.0.0")):
        assert not is_loopback(address.split("/")[2].rsplit(":", 1)[0])


def test_a_lesson_lets_others_in_and_forgets_unless_somebody_says_where_runs_are_kept(tmp_path):
    found = read_settings(["--teach"], {})
    assert found.teach and found.forgets and found.host == "0.0.0.0"
    assert found.runs != read_settings(["--teach"], {}).runs and found.runs.parent == Path(tempfile.gettempdir())
    kept = read_settings(["--teach", "--runs", str(tmp_path), "--host", "192.0.2.7"], {})
    assert kept.teach and not kept.forgets and (kept.runs, kept.host) == (tmp_path, "192.0.2.7")
    assert not read_settings(["--teach"], {"GAN_FORGE_RUNS": str(tmp_path)}).forgets
    assert not read_settings(["--runs", "r"], {}).forgets


def test_a_lesson_says_its_links(tmp_path):
    lines = welcome(settings(host="192.0.2.7", teach=True, forgets=True, runs=tmp_path), "T")
    assert lines[0].endswith("http://192.0.2.7:7860/#owner=T") and "  For the class: http://192.0.2.7:7860/" in lines
    assert "  For the projector: http://192.0.2.7:7860/?view=projector" in lines
    assert sum("\u2588" in line for line in lines) > 10  # the code of the address
    assert "forgotten" in lines[-1] and "#owner" not in "".join(lines[1:])
    alone = welcome(settings(teach=True, runs=tmp_path), "T")
    assert any("--host 0.0.0.0" in line for line in alone) and str(tmp_path) in alone[-1]


def test_the_folder_of_a_lesson_is_nobody_elses_and_goes_with_it(tmp_path, monkeypatch):
    found = settings(teach=True, forgets=True, runs=tmp_path / "lesson", port=0)
    seen = []

    class Page:
        def block_thread(self) -> None:
            seen.append(stat.S_IMODE(found.runs.stat().st_mode))
            raise KeyboardInterrupt

    monkeypatch.setattr(server, "start", lambda *_: Page())
    monkeypatch.setattr(server.signal, "signal", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        server.serve(found)
    assert (seen == [0o700] or os.name == "nt") and not found.runs.exists()


def test_the_owners_token_stands_where_no_server_sees_it():
    assert owner_link(settings(), "T") == "http://localhost:7860/#owner=T"
    assert owner_link(settings(host="0.0.0.0"), "T") == "http://localhost:7860/#owner=T"
    assert owner_link(settings(host="2001:db8::7"), "T") == "http://[2001:db8::7]:7860/#owner=T"


def test_the_reason_is_the_right_one():
    with pytest.raises(StartError, match="no host named"):
        check_address("gan.invalid", 7860)
    with pytest.raises(StartError, match=r"no address 192\.0\.2\.7"):
        check_address("192.0.2.7", 7860)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StartError, match="already runs"):
        check_address("127.0.0.1", taken.getsockname()[1])


def test_the_program_says_it_and_ends_with_1(capsys):
    assert main(["--host", "gan.invalid", "--runs", os.devnull]) == 1
    said = capsys.readouterr().err
    assert "no host named" in said and said.count("\n") == 1
