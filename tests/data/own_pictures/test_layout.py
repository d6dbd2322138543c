"""What the names of files and the tables beside them tell: splits, classes, and what is left out."""

from __future__ import annotations

import json

import hypothesis
import pytest
from hypothesis import strategies as st

from gan.data.own_pictures.layout import Place, classes_in_order, classes_of, split_of
from gan.data.own_pictures.tables import MOST_ROWS, _keys, _lines, understood

KINDS = ("cat", "dog")


def names(**folders: int) -> list[str]:
    """so many pictures in each folder; "__" stands for "/", "root" for no folder."""
    return [
        f"{folder.replace('__', '/')}/{i}.png" if folder != "root" else f"{i}.png"
        for folder, count in folders.items()
        for i in range(count)
    ]


def found(given: list[str], tables: dict[str, bytes] | None = None) -> dict:
    """How many pictures belong to each (split, class); None counts those that are left out."""
    counts: dict[tuple[str, str | None] | None, int] = {}
    for place in understood(given, tables).places:
        key = place and (place.split, place.kind)
        counts[key] = counts.get(key, 0) + 1
    return counts


CATS_AND_DOGS = {("train", "cat"): 12, ("train", "dog"): 12, ("test", "cat"): 4, ("test", "dog"): 4}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"), ("Training", "Testing"), ("TRAIN", "val"), ("train", "valid"), ("train", "Validation"),
        ("train", "dev"), ("training_set", "test_set"), ("train-images", "test-images"),
        ("my.zip/train", "my.zip/test"),
        ("a/b/train", "a/b/test"),
    ],
)  # fmt: skip
def test_a_split_gives_its_classes_from_below(train: str, test: str) -> None:
    given = [f"{part}/{kind}/{i}.png" for part, n in ((train, 12), (test, 4)) for kind in KINDS for i in range(n)]
    assert found(given) == CATS_AND_DOGS
    assert found([name.replace("/", "\\") for name in given]) == CATS_AND_DOGS


def test_three_parts_hold_two_back() -> None:
    given = names(train__cat=9, train__dog=9, valid__cat=3, valid__dog=3, test__cat=2, test__dog=2)
    assert found(given) == {("train", "cat"): 9, ("train", "dog"): 9, ("test", "cat"): 5, ("test", "dog"): 5}


def test_classes_may_come_before_the_split() -> None:
    given = names(cat__train=12, cat__test=4, dog__train=12, dog__test=4)
    assert found(given) == CATS_AND_DOGS


def test_a_split_without_classes() -> None:
    assert found(names(train=20, test=5)) == {("train", None): 20, ("test", None): 5}
    assert found(names(train__images=20, test__images=5)) == {("train", None): 20, ("test", None): 5}


def test_only_parts_that_are_held_back_are_trained_on() -> None:
    assert found(names(test__cat=9, test__dog=9, val__cat=1)) == {("train", "cat"): 10, ("train", "dog"): 9}


def test_a_test_part_without_folders_has_no_class() -> None:
    layout = understood(names(train__cat=9, train__dog=9, test=5))
    assert layout.left_out == 5 and layout.left[0][0] == "in no class"


def test_names_of_splits_that_are_classes() -> None:
    """A train is also a vehicle, and parts with other folders in them are no parts of one thing."""
    assert found(names(train=9, bus=9)) == {("train", "train"): 9, ("train", "bus"): 9}
    layout = understood(names(train__cat=9, test__bird=9))
    assert {p.kind for p in layout.places} == {"train", "test"} and "taken as classes" in layout.notes[0]


def test_one_class_folder_missing_in_one_part() -> None:
    given = names(train__cat=9, train__dog=9, test__cat=2, test__bird=1)
    assert found(given) == {("train", "cat"): 9, ("train", "dog"): 9, ("test", "cat"): 2, ("test", "bird"): 1}


@pytest.mark.parametrize(
    ("folder", "split"),
    [("train", "train"), ("TrainingSet", "train"), ("training set", "train"), ("val", "test"), ("trains", None),
     ("train_test", None), ("contest", None), ("images", None), ("", None), ("DEV", "test")],
)  # fmt: skip
def test_names_of_splits(folder: str, split: str | None) -> None:
    assert split_of(folder) == split


A_AND_B = {("train", "a"): 9, ("train", "b"): 9, ("test", "a"): 3, ("test", "b"): 3}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (names(training_set__training_set__a=9, training_set__training_set__b=9,
               test_set__test_set__a=3, test_set__test_set__b=3), 0),
        (names(train__images__a=9, train__images__b=9, test__images__a=3, test__images__b=3), 0),
        (names(train__a=9, train__b=9, test__a=3, test__b=3, pred=7), 7),
        (names(x__train__a=9, x__train__b=9, x__val__a=3, x__val__b=3, x__x__train__a=9, x__x__test__b=2), 11),
        (names(seg_train__seg_train__a=9, seg_train__seg_train__b=9,
               seg_test__seg_test__a=3, seg_test__seg_test__b=3, seg_pred=5), 5),
        (names(train2017__a=9, train2017__b=9, val2017__a=3, val2017__b=3), 0),
        ([n.replace("Test/a", "Test/A") for n in names(Train__a=9, Train__b=9, Test__a=3, Test__b=3)], 0),
        ([*names(a__train=9, a__test=3, b__train=9, b__test=3), "a/cover.png"], -1),
    ],
)  # fmt: skip
def test_splits_as_people_pack_them(given: list[str], left: int) -> None:
    layout = understood(given)
    assert layout.left_out == max(left, 0)
    expected = A_AND_B | ({("train", "a"): 10} if left < 0 else {})
    assert {k: n for k, n in found(given).items() if k} == expected


@pytest.mark.parametrize(
    "given",
    [names(train__a=9, train__b=9, test=5), names(train__a=9, train__b=9, test__images=5),
     names(Train__a=9, Train__b=9, Test=3, Meta=2)],
)  # fmt: skip
def test_a_test_part_without_classes_is_left_out_and_never_a_class(given: list[str]) -> None:
    layout = understood(given)
    assert layout.left_out == len(given) - 18 and {p.kind for p in layout.places if p} == {"a", "b"}


# ---- stray pictures ----


def test_stray_pictures_do_not_end_the_classes() -> None:
    for given in (
        [*names(cat=10, dog=10), "cover.png"],
        [*names(pets__cat=10, pets__dog=10), "cover.png"],
        [*names(pets__cat=10, pets__dog=10), "pets/cover.png"],
        [*names(a__pets__cat=10, a__pets__dog=10), "cover.png", "a/other.png"],
    ):
        layout = understood(given)
        assert {p.kind for p in layout.places if p} == {"cat", "dog"}
        assert layout.left_out == len(given) - 20 and all(layout.places[i] is None for i in range(20, len(given)))


def test_strays_beside_a_split() -> None:
    layout = understood([*names(train__cat=9, train__dog=9, test__cat=3, test__dog=3), "readme.png", "train/x.png"])
    assert layout.left_out == 2


def test_most_pictures_beside_the_folders_means_no_classes() -> None:
    layout = understood(names(root=30, extra=5, more=5))
    assert {p and p.kind for p in layout.places} == {None} and layout.left_out == 0
    assert layout.notes == ["The folders are no classes, as most pictures lie beside them."]


def test_one_folder_and_a_cover_is_one_set() -> None:
    assert found([*names(photos=20), "cover.png"]) == {("train", None): 21}


# ---- classes ----


def test_natural_order() -> None:
    assert classes_in_order(["10", "2", "0", "1", "11"]) == ("0", "1", "2", "10", "11")
    assert classes_in_order(["class 10", "class 2", "Class 1"]) == ("Class 1", "class 2", "class 10")
    assert classes_in_order(["Zebra", "Äpfel", "Brot"]) == ("Äpfel", "Brot", "Zebra")
    assert classes_in_order(["a1b10", "a1b2", "a"]) == ("a", "a1b2", "a1b10")


@hypothesis.given(st.lists(st.text(max_size=8), max_size=8))
def test_any_names_can_be_ordered(kinds: list[str]) -> None:
    order = classes_in_order(kinds)
    assert set(order) == set(kinds) and order == classes_in_order(reversed(kinds))


def test_capitals_are_two_classes_and_that_is_said() -> None:
    places = [Place("train", kind) for kind in ("cat", "Cat", "dog")]
    classes, notes = classes_of(places)
    assert set(classes) == {"cat", "Cat", "dog"}
    assert notes == ["“Cat” and “cat” are different classes; give them one name if they are one."]


@pytest.mark.parametrize(("count", "classes"), [(1, 0), (2, 2), (100, 100), (101, 0)])
def test_too_few_and_too_many_classes(count: int, classes: int) -> None:
    got, notes = classes_of([Place("train", str(i)) for i in range(count)])
    assert len(got) == classes and bool(notes) == (count > 100)


def test_a_letter_and_its_accent_are_one_name_however_they_are_written() -> None:
    """macOS writes "Ä" as two characters."""
    places = understood(["A\u0308/1.png", "\u00c4/2.png", "b/3.png"]).places
    assert {place.kind for place in places} == {"\u00c4", "b"}


# ---- tables ----


def shards(count: int = 24) -> list[str]:
    return [f"{i // 8:05}/img{i:08}.png" for i in range(count)]


def dataset_json(labels: object) -> dict[str, bytes]:
    return {"dataset.json": json.dumps({"labels": labels}).encode()}


def test_labels_of_stylegan() -> None:
    pairs = [[name, i % 2] for i, name in enumerate(shards())]
    expected = {("train", "0"): 12, ("train", "1"): 12}
    assert found(shards(), dataset_json(pairs)) == expected
    assert found(shards(), dataset_json(dict(pairs))) == expected
    inside = {f"data/{k}": v for k, v in dataset_json(pairs).items()}
    assert found([f"data/{name}" for name in shards()], inside) == expected


def test_shards_without_labels_are_no_classes() -> None:
    for labels in (None, [], {}):
        assert found(shards(), dataset_json(labels)) == {("train", None): 24}
    layout = understood(shards(), dataset_json([[name, [0.5, 0.5]] for name in shards()]))
    assert {p.kind for p in layout.places} == {None} and layout.notes == ["dataset.json gives no classes."]


def test_pictures_without_a_label_are_left_out() -> None:
    layout = understood(shards(), dataset_json([[name, i % 2] for i, name in enumerate(shards()[:20])]))
    assert layout.left == [("not in dataset.json", [20, 21, 22, 23])] and layout.used == {"dataset.json"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"images": []}', b"[" * 100_000, b"\xff\xfe", b"null", b"7"])
def test_a_dataset_json_of_another_program_is_not_followed(content: bytes) -> None:
    layout = understood(names(cat=9, dog=9), {"dataset.json": content})
    assert {p.kind for p in layout.places} == {"cat", "dog"} and not layout.used


@pytest.mark.parametrize(
    "labels", [{"0": "cat", "1": "dog"}, ["cat", "dog"], [["x.png", 1]], "ab", 7, {"a/" * 100_000: 1}, [[["a"], 1]]]
)
def test_a_dataset_json_that_names_other_things_is_not_followed(labels: object) -> None:
    layout = understood(names(cat=9, dog=9), dataset_json(labels))
    assert {p.kind for p in layout.places} == {"cat", "dog"} and not layout.used


def test_two_sets_of_stylegan_in_one() -> None:
    pairs = [[name, i % 2] for i, name in enumerate(shards())]
    tables = {f"{part}/dataset.json": dataset_json(pairs)["dataset.json"] for part in "ab"}
    both = [f"{part}/{name}" for part in "ab" for name in shards()]
    assert found(both, tables) == {("train", "0"): 24, ("train", "1"): 24}


FLAT = [f"images/{i}.png" for i in range(20)]


@pytest.mark.parametrize(
    "table",
    [
        "file,class\n" + "".join(f"{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(20)),
        "".join(f"{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(20)),
        "id;label\n" + "".join(f"{i};{'cat' if i % 2 else 'dog'}\n" for i in range(20)),
        "﻿species\tpath\tsize\n" + "".join(f"{'cat' if i % 2 else 'dog'}\timages/{i}.png\t7\n" for i in range(20)),
        "filename,width,kind\r\n" + "".join(f'"./images/{i}.png",{i},{KINDS[1 - i % 2]}\r\n' for i in range(20)),
        "Image Name,Class Name,x\n" + "".join(f"{i}.png,{KINDS[1 - i % 2]},{i % 3}\n" for i in range(20)),
        "image,label\n" + "".join(f"/data/x/images/{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(20)),
    ],
)  # fmt: skip
def test_a_table_with_file_and_class(table: str) -> None:
    layout = understood(FLAT, {"labels.csv": table.encode()})
    assert [p.kind for p in layout.places] == ["cat" if i % 2 else "dog" for i in range(20)]
    assert layout.used == {"labels.csv"}


def test_a_table_may_say_the_split() -> None:
    table = "file,class,split\n" + "".join(f"{i}.png,{i % 2},{'train' if i < 16 else 'valid'}\n" for i in range(20))
    assert found(FLAT, {"labels.csv": table.encode()}) == {
        ("train", "0"): 8, ("train", "1"): 8, ("test", "0"): 2, ("test", "1"): 2,
    }  # fmt: skip


def test_a_table_beside_a_split_keeps_it() -> None:
    given = names(train=12, test=4)
    table = "path,label\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(given))
    assert found(given, {"labels.csv": table.encode()}) == {
        ("train", "0"): 6, ("train", "1"): 6, ("test", "0"): 2, ("test", "1"): 2,
    }  # fmt: skip


def test_pictures_that_a_table_does_not_name_are_left_out() -> None:
    table = "file,class\n" + "".join(f"{i}.png,{i % 2}\n" for i in range(15))
    layout = understood(FLAT, {"labels.csv": table.encode()})
    assert layout.left == [("not in labels.csv", [15, 16, 17, 18, 19])]


def test_class_folders_win_over_a_column_that_is_called_otherwise() -> None:
    given = names(cat=10, dog=10)
    table = "file,photographer\n" + "".join(f"{name},{'Ann' if i % 2 else 'Bob'}\n" for i, name in enumerate(given))
    layout = understood(given, {"about.csv": table.encode()})
    assert {p.kind for p in layout.places} == {"cat", "dog"} and not layout.used


def table(head: str, line: str, count: int = 20) -> bytes:
    """A line for each picture: {i} its number, {k} its class, {n} 0 or 1, {other} 1 or 0."""
    lines = (line.format(i=i, k=KINDS[i % 2], n=i % 2, other=1 - i % 2) for i in range(count))
    return f"{head}\n{chr(10).join(lines)}\n".encode()


CAT_DOG = {("train", "cat"): 10, ("train", "dog"): 10}
ZERO_ONE = {("train", "0"): 10, ("train", "1"): 10}


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (table("filename, cat, dog, owl", "{i}.png, {other}, {n}, 0"), CAT_DOG),  # a column for each class
        (table("label,file", "{n},{i}.png"), ZERO_ONE),
        (table("id,label", "{i},{n}", 30), ZERO_ONE),
        (table('"file", "class"', '"{i}.png", "{k}"'), CAT_DOG),
        (table("image_id,dx,age", "{i},{k},{i}"), CAT_DOG),
        (table("Image Name,Class Name,x", "{i}.png,{k},{n}"), CAT_DOG),
    ],
)
def test_the_right_column_is_taken(content: bytes, kinds: dict) -> None:
    assert found(FLAT, {"labels.csv": content}) == kinds


def test_many_attributes_are_no_classes() -> None:
    """CelebA's tables: forty times yes or no, boxes, and who is held back, 0, 1 or 2."""
    tables = {
        "list_attr.csv": table("image_id,bald,young,smiling", "{i}.png,-1,{n},{other}"),
        "list_bbox.csv": table("image_id,x_1,y_1", "{i}.png,{n},{other}7"),
        "list_eval_partition.csv": table("image_id,partition", "{i}.png,{n}"),
    }
    assert found(FLAT, tables) == {("train", None): 10, ("test", None): 10}
    assert understood(FLAT, tables).notes == ["list_eval_partition.csv says which pictures are held back."]


def test_a_table_for_one_part_counts_there() -> None:
    content = "id,breed\n" + "".join(f"train/{i},{KINDS[i % 2]}\n" for i in range(20))
    layout = understood(names(train=20, test=21), {"labels.csv": content.encode()})
    assert {p.kind for p in layout.places if p} == {"cat", "dog"} and layout.left_out == 21


@pytest.mark.parametrize("head", ["label", "photographer"])
def test_a_table_with_one_class_never_beats_folders(head: str) -> None:
    given = names(cat=10, dog=10)
    content = f"file,{head}\n" + "".join(f"{name},photo\n" for name in given)
    assert found(given, {"about.csv": content.encode()}) == CAT_DOG


def test_where_classes_come_from_is_said() -> None:
    lines = [f"{kind}/{i}.png,{i % 2}\n" for kind in KINDS for i in range(10)]
    layout = understood(names(cat=10, dog=10), {"a/labels.csv": "".join(["file,target\n", *lines]).encode()})
    assert layout.notes == ["Classes come from column “target” of labels.csv."]


def test_a_picture_with_two_classes_keeps_its_first_and_that_is_said() -> None:
    layout = understood(FLAT, {"labels.csv": table("file,class", "{i}.png,{k}") + b"0.png,owl\n"})
    assert layout.places[0] == Place("train", "cat") and "another class" in layout.notes[1]


def test_long_paths_and_long_tables_are_cut() -> None:
    """A table of 100 kB must not become gigabytes of names, nor millions of lines a list."""
    assert sum(map(len, _keys("a/" * 60_000))) < 20_000
    assert len(_lines("x.csv", b"0,aa\n" * (MOST_ROWS + 5)) or []) == MOST_ROWS
    content = table("file,class", "{i}.png,{k}") + b"a/" * 60_000 + b",x\n"
    assert found(FLAT, {"labels.csv": content}) == CAT_DOG
    assert found(["a/" * 15_000 + "1.png", *FLAT], {"labels.csv": content})[("train", "cat")] == 10


@pytest.mark.parametrize(
    "content",
    [b"", b",", b"a\n" * 10, b"file,class\n", b"x,y\nnone.png,1\n", b"\x00,\x00\n", b'"', b"1.png," + b"x" * 200_000],
)
def test_other_tables_are_not_followed(content: bytes) -> None:
    layout = understood(FLAT, {"labels.csv": content})
    assert {p.kind for p in layout.places} == {None} and layout.left_out == 0


@hypothesis.given(
    st.lists(st.text("abAB/\\.0123 é猫", min_size=1, max_size=20), max_size=30),
    st.dictionaries(
        st.sampled_from(["dataset.json", "a/dataset.json", "l.csv", "m.tsv", "x.json"]), st.binary(max_size=80)
    ),
)
def test_nothing_is_lost_whatever_the_names(given_names: list[str], tables: dict[str, bytes]) -> None:
    """Every picture has a place or is counted among those left out, once."""
    layout = understood(given_names, tables)
    out = sorted(row for _, rows in layout.left for row in rows)
    assert out == [row for row, place in enumerate(layout.places) if place is None]
    assert layout.used <= set(tables)
