"""Classes that are renamed, merged and left out after preparing; and the pictures that are shown before training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.data.catalog import DataError, describe, load
from gan.data.own_pictures import Form, content_name, edit_classes, prepare, preview
from gan.data.pictures import Pictures, split_of, write_pictures


def picture(value: int) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("L", (8, 8), value).save(file, "PNG")
    file.seek(0)
    return file


def noisy(seed: int) -> io.BytesIO:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    file.seek(0)
    return file


def prepared(own: Path, test: int = 0, **classes: int) -> str:
    """Numbered pictures of some classes in the order of their names; so many of each are held back."""
    files = []
    for at, (kind, count) in enumerate(classes.items()):
        for i in range(count + test):
            part = "test" if i >= count else "train"
            files.append((f"{part}/{kind}/{i}.png" if test else f"{kind}/{i}.png", picture(20 * at + i)))
    return prepare(files, Form(8, 1), own).name


def values(name: str, own: Path, split: str = "train") -> dict[str, list[int]]:
    """class -> the pictures' values, in order."""
    got = load(name, split, own)
    names = got.class_names or ("",)
    return {kind: got.images[got.labels == i, 0, 0, 0].tolist() for i, kind in enumerate(names)}


def test_rename(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=10, b=9)
    new = edit_classes(name, tmp_path, {"a": "z"})
    assert new.name != name and describe(new.name, tmp_path).class_names == ("b", "z")
    assert values(new.name, tmp_path) == {"b": list(range(20, 29)), "z": list(range(10))}
    assert new.summary.classes == (("b", 9), ("z", 10)) and new.summary.sentence.startswith(
        "19 pictures, 2 classes: b (9)"
    )


def test_swapping_two_names_is_no_merge(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=10, b=9)
    swapped = edit_classes(name, tmp_path, {"a": "b", "b": "a"})
    assert values(swapped.name, tmp_path) == {"a": list(range(20, 29)), "b": list(range(10))}
    assert edit_classes(swapped.name, tmp_path, {"a": "b", "b": "a"}).name == name


def test_merge_and_leave_out(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=10, b=9, c=8, d=7)
    new = edit_classes(name, tmp_path, {"b": "a", "c": ""})
    assert values(new.name, tmp_path) == {"a": [*range(10), *range(20, 29)], "d": list(range(60, 67))}
    assert new.summary.skipped == 8 and "8 pictures of classes you left out are not used." in new.summary.sentence


def test_what_is_said_of_names_is_said_of_the_new_ones(tmp_path: Path) -> None:
    name = prepared(tmp_path, Cat=10, cat=9, dog=8)
    said = "“Cat” and “cat” are different classes"
    assert said in describe(name, tmp_path).summary.sentence
    assert "are two classes" not in edit_classes(name, tmp_path, {"Cat": "cat"}).summary.sentence
    renamed = edit_classes(name, tmp_path, {"dog": "CAT", "Cat": "bird"}).summary.sentence
    assert "“CAT” and “cat” are different classes" in renamed and said not in renamed


def test_all_in_one_class_are_without_classes(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=10, b=9)
    new = edit_classes(name, tmp_path, {"a": "b"})
    assert load(new.name, own_dir=tmp_path).class_names == () and new.summary.classes == ()
    assert new.name == prepare([(f"{i:02}.png", picture(v)) for i, v in enumerate([*range(10), *range(20, 29)])],
                               Form(8, 1), tmp_path).name  # fmt: skip


def test_what_is_held_back_follows(tmp_path: Path) -> None:
    name = prepared(tmp_path, test=2, a=10, b=9, c=8)
    new = edit_classes(name, tmp_path, {"a": "", "b": "x"})
    assert values(new.name, tmp_path, "test") == {"c": [48, 49], "x": [29, 30]}
    assert new.summary.test == 4 and new.summary.count == 17 and new.summary.skipped == 12


def test_what_is_said_of_pixels_is_said_of_the_pictures_that_are_left(tmp_path: Path) -> None:
    """Copies and a dark class that go are no longer spoken of; what was few before may be all of the rest."""
    noise = [(f"noise/{i}.png", noisy(i)) for i in range(16)]
    flat = [(f"flat/{i}.png", picture(i // 2)) for i in range(16)]
    name = prepare([*noise, *flat], Form(8, 1), tmp_path).name
    told = describe(name, tmp_path).summary.sentence
    assert "8 are copies of others. 16 show one colour only." in told and "dark" not in told
    left = edit_classes(name, tmp_path, {"flat": ""}).summary.sentence
    assert left == "16 pictures. 16 pictures of classes you left out are not used."
    left = edit_classes(name, tmp_path, {"noise": ""}).summary.sentence
    assert left.endswith("not used. 8 are copies of others. All show one colour only.")


def test_one_picture_that_goes_is_one(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=16, b=1, c=2)
    assert "1 picture of classes you left out is not used." in edit_classes(name, tmp_path, {"b": ""}).summary.sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"x": "y"}, "no class “x”"), ({"a": "", "b": ""}, "0 pictures would be left"),
     ({"a": ""}, "9 pictures would be left"), ({"a": "\n\t"}, "9 pictures would be left")],
)  # fmt: skip
def test_what_cannot_be(changes: dict[str, str], sentence: str, tmp_path: Path) -> None:
    name = prepared(tmp_path, a=10, b=9)
    with pytest.raises(DataError, match=sentence):
        edit_classes(name, tmp_path, changes)
    assert len(list(tmp_path.iterdir())) == 1


def test_without_classes_there_is_nothing_to_change(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=20)
    with pytest.raises(DataError, match="no classes"):
        edit_classes(name, tmp_path, {"a": "b"})


def test_no_change_is_the_same_set(tmp_path: Path) -> None:
    name = prepared(tmp_path, test=1, a=10, b=9)
    assert edit_classes(name, tmp_path, {}).name == edit_classes(name, tmp_path, {"a": "a"}).name == name


# ---- the name is what is in it ----


def test_the_name_can_be_found_from_the_file_alone(tmp_path: Path) -> None:
    for name in (prepared(tmp_path, a=20), prepared(tmp_path, a=10, b=9), prepared(tmp_path, test=3, a=10, b=9)):
        assert content_name(tmp_path / f"{name}.safetensors") == name


def test_one_bit_more_is_another_name(tmp_path: Path) -> None:
    name = prepared(tmp_path, test=3, a=10, b=9)
    whole = [load(name, split, tmp_path) for split in ("train", "test")]
    path = tmp_path / "own-000000000000.safetensors"
    for at in (0, 1):
        images = whole[at].images.clone()
        images[-1, 0, -1, -1] ^= 1
        changed = [*whole]
        changed[at] = Pictures("x", images, whole[at].labels, ("a", "b"))
        write_pictures(path, [split_of(part) for part in changed], {"classes": '["a", "b"]'})
        assert content_name(path) != name
    write_pictures(path, [split_of(part) for part in whole], {"classes": '["a", "c"]'})
    assert content_name(path) != name


# ---- the preview ----


def test_the_preview_is_spread_over_the_classes(tmp_path: Path) -> None:
    name = prepared(tmp_path, a=12, b=12)
    shown = preview(name, tmp_path)
    assert shown.shape == (16, 1, 8, 8) and (shown[:, 0, 0, 0] < 20).sum() == 8
    assert len(torch.unique(shown[:, 0, 0, 0])) == 16
