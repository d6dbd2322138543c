"""Damaged zips, names, pictures and tables: prepared or refused in words, never anything else."""

from __future__ import annotations

import io
import json
import random
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.data.catalog import DataError, load
from gan.data.own_pictures import Form, edit_classes, prepare_folder, prepare_zip
from tests.damage import hurt, seeds_for_a_while
from tests.data.own_pictures.test_decode import animation, deep, encoded, half, swapped_profile

FITS = ("crop", "pad", "squeeze")


def good_files() -> list[tuple[str, bytes]]:
    """One good file of every kind that is read, in class folders of a split, with tables beside them."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8))
    files = [encoded(noise, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")]
    files += [encoded(noise, kind, icc_profile=swapped_profile()) for kind in ("PNG", "JPEG")]
    files += [encoded(noise.convert(mode)) for mode in ("RGBA", "LA", "P", "1", "L")]
    files += [encoded(noise.convert("CMYK"), kind) for kind in ("JPEG", "TIFF")]
    files += [animation(kind, ["black", "white"], half()) for kind in ("GIF", "WEBP", "PNG")]
    files += [deep(np.arange(576).reshape(24, 24)), deep(np.arange(576).reshape(24, 24), "TIFF")]
    named = [(f"{('train', 'test')[i % 5 == 4]}/{'abc'[i % 3]}/{i}.png", data) for i, data in enumerate(files * 2)]
    table = "file,class\n" + "".join(f"{name},{i % 2}\n" for i, (name, _) in enumerate(named))
    labels = json.dumps({"labels": [[name, i % 2] for i, (name, _) in enumerate(named)]})
    return [*named, ("labels.csv", table.encode()), ("dataset.json", labels.encode())]


def hurt_name(name: str, rng: random.Random) -> str:
    tricks = [
        "../",
        "/",
        "\\",
        "train/",
        "TEST/",
        "a/",
        "\u202e",
        "\0",
        "é",
        "猫",
        " ",
        ".",
        "C:",
        "x" * 300,
        "\n",
        "con",
    ]
    at = rng.randrange(len(name) + 1)
    return name[:at] + rng.choice(tricks) + name[at:]


def zip_of(entries: list[tuple[str, bytes]], rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, data in entries:
            archive.writestr(name.partition("\0")[0] or "x", data)
    return out.getvalue()


def one_more(seed: int, folder: Path, entries: list[tuple[str, bytes]]) -> bool:
    """Prepare a damaged zip; whether it was taken."""
    rng = random.Random(seed)
    chosen = [e for e in entries if rng.random() < 0.9]
    if rng.random() < 0.7:
        chosen = [(name, hurt(data, rng) if rng.random() < 0.5 else data) for name, data in chosen]
    if rng.random() < 0.4:
        chosen = [(hurt_name(name, rng) if rng.random() < 0.3 else name, data) for name, data in chosen]
    packed = zip_of(chosen, rng)
    (folder / "it.zip").write_bytes(hurt(packed, rng) if rng.random() < 0.3 else packed)
    form = Form(rng.choice([8, 28]), rng.choice([1, 3]), rng.choice(FITS))
    try:
        made = prepare_zip(folder / "it.zip", form, folder / "own")
    except DataError as refused:
        assert str(refused).isprintable() and len(str(refused)) < 2000
        return False
    got = load(made.name, own_dir=folder / "own")
    assert len(got.images) == made.summary.count and made.summary.sentence.isprintable()
    if got.class_names:
        edit_classes(made.name, folder / "own", {got.class_names[0]: got.class_names[-1]})
    for path in (folder / "own").glob("*"):
        path.unlink()
    return True


@pytest.mark.thorough
def test_whatever_is_sent_is_taken_or_refused_in_words(tmp_path: Path) -> None:
    """As many damaged zips as fit into a while."""
    entries, taken, tried = good_files(), 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds_for_a_while(15):
            try:
                taken += one_more(seed, tmp_path, entries)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error!r}") from error
            tried += 1
    assert taken, f"none of {tried} was taken"


@pytest.mark.parametrize("seed", range(12))
def test_some_that_are_the_same_each_time(seed: int, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one_more(seed, tmp_path, good_files())


def test_good_files_are_all_taken(tmp_path: Path) -> None:
    """What is damaged above is sound before."""
    for name, data in good_files():
        (tmp_path / "it" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "it" / name).write_bytes(data)
    made = prepare_folder(tmp_path / "it", Form(8), tmp_path / "own")
    assert made.summary.count + made.summary.test == len(good_files()) - 2 and "could not" not in made.summary.sentence
