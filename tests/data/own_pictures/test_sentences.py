"""What is said of odd zips, as people who train on their own pictures reported them; the command line says the same."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.cli.main import main
from gan.data.catalog import DataError, load
from gan.data.own_pictures import Form, Summary, prepare, prepare_folder, prepare_zip
from tests.data.own_pictures.test_decode import HEIC, encoded

Entries = list[tuple[str, bytes]]


def drawing(i: int, size: int = 32) -> Image.Image:
    """A disc on a ground, every one different."""
    rng = random.Random(i)
    pixels = np.full((size, size, 3), [rng.randrange(40, 256) for _ in range(3)], np.uint8)
    rows, columns = np.mgrid[:size, :size]
    at = rng.randrange(8, size - 8)
    pixels[(rows - at) ** 2 + (columns - at) ** 2 < 36] = [rng.randrange(256) for _ in range(3)]
    return Image.fromarray(pixels)


def png(i: int) -> bytes:
    return encoded(drawing(i))


def jpeg(i: int) -> bytes:
    return encoded(drawing(i, 200), "JPEG", quality=95)


def kinds(*names: str, count: int = 10) -> Entries:
    return [(f"{name}/{i}.png", png(100 * at + i)) for at, name in enumerate(names) for i in range(count)]


def split() -> Entries:
    parts = [(part, kind, i) for part, n in (("train", 12), ("test", 4)) for kind in ("cat", "dog") for i in range(n)]
    return [(f"{part}/{kind}/{i}.png", png(at)) for at, (part, kind, i) in enumerate(parts)]


def shards() -> Entries:
    names = [f"{i // 8:05}/img{i:08}.png" for i in range(24)]
    labels = json.dumps({"labels": [[name, i % 2] for i, name in enumerate(names)]})
    return [*((name, png(i)) for i, name in enumerate(names)), ("dataset.json", labels.encode())]


def rubbish() -> Entries:
    system = ["__MACOSX/Pets/cat/._0.png", "Pets/.DS_Store", "Pets/cat/Thumbs.db", "Pets/dog/desktop.ini",
              "Pets/.ipynb_checkpoints/0-checkpoint.png"]  # fmt: skip
    return kinds("Pets/cat", "Pets/dog") + [(name, b"x") for name in system]


def deep(i: int) -> bytes:
    return encoded(Image.fromarray((np.random.default_rng(i).integers(0, 2, (8, 8)) * 3000).astype(np.uint16)))


CASES: dict[str, tuple[Callable[[], Entries], str]] = {
    "plain": (lambda: kinds("a", count=20), "20 pictures."),
    "classes": (lambda: kinds("cat", "dog", count=20), "40 pictures, 2 classes: cat (20), dog (20)."),
    "split": (split, "24 pictures and 8 held back to test with, 2 classes: cat (12), dog (12)."),
    "numbers": (
        lambda: kinds(*map(str, range(12)), count=3),
        "36 pictures, 12 classes: 0 (3), 1 (3), 2 (3), 3 (3), 4 (3), 5 (3), 6 (3), 7 (3) and 4 more.",
    ),
    "stray": (
        lambda: [*kinds("cat", "dog"), ("cover.png", png(999))],
        "20 pictures, 2 classes: cat (10), dog (10). 1 picture beside the folders was left out (cover.png).",
    ),
    "telephone": (
        lambda: [*((f"IMG_{i:04}.HEIC", HEIC) for i in range(200)), *((f"{i}.JPG", jpeg(i)) for i in range(20))],
        "20 pictures. 200 .heic files were left out: export them as JPEG.",
    ),
    "truncated": (
        lambda: [(f"{i:02}.jpg", jpeg(i)[: None if i % 2 else -600]) for i in range(40)],
        "20 pictures. 20 could not be read (first: 00.jpg, cut off).",
    ),
    "scraped": (
        lambda: [(f"{i:02}.jpg", png(i) if i < 17 else b"<!doctype html><title>403</title>") for i in range(25)],
        "17 pictures. 8 could not be read (first: 17.jpg, a web page, not a picture).",
    ),
    "mislabelled heic": (
        lambda: [*kinds("a", count=16), ("x.jpg", HEIC)],
        "16 pictures. 1 could not be read (x.jpg, an HEIC picture: export it as JPEG).",
    ),
    "stylegan": (shards, "24 pictures, 2 classes: 0 (12), 1 (12). Classes come from dataset.json."),
    "panorama": (
        lambda: [(f"{i}.png", encoded(drawing(i).resize((1600, 90)))) for i in range(16)],
        "16 pictures. All pictures are long, and only the middle is kept; “Pad” keeps all of a picture.",
    ),
    "unequal": (
        lambda: [*kinds("many", count=30), ("one/0.png", png(5000))],
        "31 pictures, 2 classes: many (30), one (1). “one” has a single picture. "
        "The classes are unequal: “many” has 30 times as many as “one”.",
    ),
    "101 classes": (
        lambda: [(f"{k:03}/0.png", png(k)) for k in range(101)],
        "101 pictures. 101 folders or labels are more than 100 classes, the most there may be, so that there are none.",
    ),
    "rubbish": (rubbish, "20 pictures, 2 classes: cat (10), dog (10)."),
    "deep": (
        lambda: [(f"{i}.png", deep(i)) for i in range(20)],
        "20 pictures. The pictures of 16 bits use 0 to 3,000 of 65,535; that range was spread from black to white.",
    ),
    "capitals": (
        lambda: kinds("Cat", "cat"),
        "20 pictures, 2 classes: Cat (10), cat (10). “Cat” and “cat” are different classes; "
        "give them one name if they are one.",
    ),
    "other files": (
        lambda: [*kinds("a", count=16), ("readme.txt", b"x"), ("b.zip", b"PK"), ("c.svg", b"<svg"), ("d.svg", b"<svg")],
        "16 pictures. 2 .svg files were left out: export them as PNG. "
        "1 .zip file was left out: unpack it first. 1 other file (readme.txt) was left out.",
    ),
    "a class of bad pictures": (
        lambda: [*kinds("cat", "dog"), ("bird/0.png", b"x"), ("bird/1.png", b"x")],
        "20 pictures, 2 classes: cat (10), dog (10). 2 could not be read (first: bird/0.png, not a PNG, JPEG, WebP, "
        "GIF, BMP, TIFF, AVIF or PPM picture). “bird” has no picture that could be used.",
    ),
    "a class of heic": (
        lambda: [*kinds("cat", "dog"), ("bird/0.heic", HEIC), ("readme/x.txt", b"x")],
        "20 pictures, 2 classes: cat (10), dog (10). 1 .heic file was left out: export it as JPEG. "
        "1 other file (readme/x.txt) was left out. “bird” has no picture that could be used.",
    ),
    "all the same": (lambda: [(f"{i}.png", png(1)) for i in range(20)], "20 pictures. All pictures are the same."),
    "some copies": (lambda: [(f"{i}.png", png(i % 17)) for i in range(20)], "20 pictures. 3 are copies of others."),
    "one colour": (
        lambda: [(f"{i}.png", encoded(Image.new("RGB", (9, 9), (i, 99, 99)))) for i in range(20)],
        "20 pictures. All show one colour only.",
    ),
    "dark": (
        lambda: [(f"{i}.png", encoded(drawing(i).point(lambda v: v // 30))) for i in range(20)],
        "20 pictures. The pictures are very dark: 2 % of white on average.",
    ),
    "a table": (
        lambda: [
            *((f"pictures/{i}.png", png(i)) for i in range(20)),
            ("labels.csv", ("file,class\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(19))).encode()),
        ],
        "19 pictures, 2 classes: a (10), b (9). 1 picture not in labels.csv was left out (pictures/19.png). "
        "Classes come from column “class” of labels.csv.",
    ),
}  # fmt: skip


def packed(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_is_said(case: str, tmp_path: Path) -> None:
    make, sentence = CASES[case]
    entries = make()
    made = prepare_zip(packed(tmp_path / "it.zip", entries), Form(8), tmp_path / "own")
    assert made.summary.sentence == sentence
    given = [entry for entry in entries if "/." not in f"/{entry[0]}" and not entry[0].endswith((".db", ".ini"))]
    tables = sum(name in ("dataset.json", "labels.csv") for name, _ in given)
    kept = made.summary.count + made.summary.test + made.summary.skipped + tables
    assert kept == len([name for name, _ in given if "__MACOSX" not in name])
    assert [len(load(made.name, part, tmp_path / "own").images) for part in ("train", "test")] == [
        made.summary.count, made.summary.test or made.summary.count,
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_folder_and_single_files_are_understood_as_the_zip(case: str, tmp_path: Path) -> None:
    entries = CASES[case][0]()
    for name, data in entries:
        (tmp_path / "it" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "it" / name).write_bytes(data)
    if len({name.casefold() for name, _ in entries}) > len(list((tmp_path / "it").rglob("*.*"))):
        pytest.skip("this disk takes names in capitals for the same")
    by_folder = prepare_folder(tmp_path / "it", Form(8), tmp_path / "own")
    assert by_folder.summary.sentence == CASES[case][1]
    readable = [(n, d) for n, d in sorted(entries) if not n.lower().endswith((".heic", ".txt", ".zip", ".svg"))]
    others = [n for n, _ in sorted(entries) if n.lower().endswith((".heic", ".txt", ".zip", ".svg"))]
    by_files = prepare([(n, io.BytesIO(d)) for n, d in readable], Form(8), tmp_path / "own", others=others)
    assert by_files.name == by_folder.name and by_files.summary.sentence == CASES[case][1]


REFUSED: dict[str, tuple[Callable[[], Entries], str]] = {
    "too few": (lambda: kinds("a", count=3), "3 pictures can be used, but at least 16 are needed."),
    "few and heic": (
        lambda: [*kinds("a", count=3), *((f"{i}.heic", HEIC) for i in range(200))],
        "3 pictures can be used, but at least 16 are needed. 200 .heic files were left out: export them as JPEG.",
    ),
    "a zip in a zip": (
        lambda: [("inner.zip", b"PK")],
        "This zip holds another one (inner.zip) and no pictures; unpack it and choose that one.",
    ),
    "another archive": (
        lambda: [("a.tar.gz", b"x"), ("b.rar", b"x")],
        "This zip holds another one (a.tar.gz) and no pictures; unpack it and choose that one.",
    ),
    "nothing": (lambda: [], "0 pictures can be used, but at least 16 are needed."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, tmp_path: Path) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(DataError) as refused:
        prepare_zip(packed(tmp_path / "it.zip", make()), Form(8), tmp_path / "own")
    assert str(refused.value) == sentence
    assert not list((tmp_path / "own").glob("*"))


def test_the_summary_is_kept_in_the_file(tmp_path: Path) -> None:
    made = prepare_zip(packed(tmp_path / "it.zip", split()), Form(8), tmp_path)
    again = Summary.from_json(made.summary.to_json())
    assert again == made.summary


def test_the_command_line_says_the_same_and_renames(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = packed(tmp_path / "it.zip", CASES["stray"][0]())
    form = ["--fit", "pad", "--size", "28", "--channels", "1", "--class", "cat=animal", "--class", "dog=animal"]
    run = ["--runs", str(tmp_path / "runs"), "--batch", "8", "--steps", "1"]
    assert main(["train", "dense", "--dataset", str(path), *run, *form]) == 0
    said = capsys.readouterr().out
    assert f"{CASES['stray'][1]}\n20 pictures. 1 picture beside" in said
    assert [len(list((tmp_path / "runs" / "pictures").glob("own-*")))] == [2]


@pytest.mark.parametrize(
    ("more", "words"),
    [(["--class", "cat"], "OLD=NEW"), (["--class", "cow=x"], "There is no class “cow”; there are cat, dog."),
     (["--fit", "fill"], "crop"), (["--dataset", "mnist", "--fit", "pad"], "--fit is for a folder")],
)  # fmt: skip
def test_wrong_flags_are_one_sentence(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = packed(tmp_path / "it.zip", kinds("cat", "dog"))
    assert (
        main(["train", "dense", "--dataset", str(path), "--runs", str(tmp_path / "runs"), "--steps", "1", *more]) == 1
    )
    assert words in capsys.readouterr().err


def test_empty_folders_are_classes_without_pictures(tmp_path: Path) -> None:
    sentence = "20 pictures, 2 classes: cat (10), dog (10). “bird” and “cow” have no picture that could be used."
    path = packed(
        tmp_path / "it.zip", [*kinds("pets/cat", "pets/dog"), ("pets/bird/", b""), ("pets/cow/", b""), ("pets/", b"")]
    )
    assert prepare_zip(path, Form(8), tmp_path / "own").summary.sentence == sentence
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "it")
    assert prepare_folder(tmp_path / "it", Form(8), tmp_path / "own").summary.sentence == sentence
