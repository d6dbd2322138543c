"""Names in zips whose programs did not say in which code page they wrote them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import hypothesis
import pytest
from hypothesis import strategies as st

from gan.data.own_pictures.zip_names import names_of


def zip_of(names: list[bytes], extras: list[bytes] | None = None, flags: int = 0) -> zipfile.ZipFile:
    """A stored zip of empty files, with names as bytes, as old programs write it."""
    out, central = io.BytesIO(), io.BytesIO()
    for name, extra in zip(names, extras or [b""] * len(names), strict=True):
        central.write(
            struct.pack(
                "<IHHHHHHIIIHHHHHII",
                0x02014B50,
                20,
                20,
                flags,
                0,
                0,
                0x21,
                0,
                0,
                0,
                len(name),
                len(extra),
                0,
                0,
                0,
                0,
                out.tell(),
            )
            + name
            + extra
        )
        out.write(struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, flags, 0, 0, 0x21, 0, 0, 0, len(name), 0) + name)
    at, table = out.tell(), central.getvalue()
    out.write(table + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(names), len(names), len(table), at, 0))
    return zipfile.ZipFile(out)


def read(names: list[bytes], **how: object) -> tuple[list[str], bool]:
    return names_of(zip_of(names, **how).infolist())


FOLDERS = {
    "cp850": [("Äpfel", "Brötchen"), ("été", "hiver"), ("niño", "niña"), ("Größe",), ("maçã", "pão")],
    "cp437": [("Äpfel", "Brötchen"), ("Löwe", "Bär", "Käfer")],
    "cp1252": [("Äpfel", "Brötchen")],
    "gbk": [("猫", "狗"), ("苹果", "香蕉"), ("汽车", "飞机", "轮船"), ("正常", "异常")],
    "cp932": [("猫", "犬"), ("りんご", "バナナ"), ("表示", "能力", "ソース"), ("いぬ", "ねこ")],
    "cp949": [("고양이", "강아지"), ("사과", "바나나"), ("정상", "불량")],
    "cp866": [("кошка", "собака")],
    "cp1251": [("кошка", "собака")],
    "utf-8": [("猫", "狗"), ("Äpfel", "Brötchen"), ("고양이",)],
}


@pytest.mark.parametrize(("page", "folders"), [(page, f) for page, sets in FOLDERS.items() for f in sets])
def test_one_code_page_is_found_for_the_whole_zip(page: str, folders: tuple[str, ...]) -> None:
    names = [f"{folder}/{i}.png" for folder in folders for i in range(3)]
    assert read([name.encode(page) for name in names]) == (names, True)


def test_the_second_byte_of_a_letter_may_be_a_backslash() -> None:
    assert b"\\" in "表".encode("cp932")
    assert read([f"表/ソ{i}.png".encode("cp932") for i in range(3)]) == ([f"表/ソ{i}.png" for i in range(3)], True)


def test_unsure_folders_are_numbered_and_stay_apart() -> None:
    names, sure = read([b"\xb0\xff/a.png", b"\xb1\xff/\xb0\xff.png", b"\xb0\xff/b.png", b"plain/c.png"])
    assert not sure
    assert names == ["class 1/a.png", "class 2/\ufffd\ufffd.png", "class 1/b.png", "plain/c.png"]


@pytest.mark.parametrize(
    ("page", "folders"), [("cp852", ("łódź", "kość")), ("cp852", ("mięso", "jabłko")), ("cp852", ("świnia", "żaba"))]
)
def test_a_page_that_is_not_tried_is_not_taken_for_another(page: str, folders: tuple[str, ...]) -> None:
    """Polish bytes make a jumble of two alphabets in the Russian page, and of Korean and Latin in the Korean one."""
    names, sure = read([f"{folder}/1.png".encode(page) for folder in folders])
    assert not sure and names == [f"class {i + 1}/1.png" for i in range(len(folders))]


def test_chinese_that_happens_to_be_utf_8() -> None:
    names = [f"{folder}/1.png" for folder in ("图片", "标签")]
    assert read([name.encode("gbk") for name in names]) == (names, True)
    assert "图片".encode("gbk").decode() == "ͼƬ"


def test_what_the_zip_says_counts() -> None:
    assert read(["猫/1.png".encode()], flags=0x800) == (["猫/1.png"], True)
    assert read([b"cat/1.png"]) == (["cat/1.png"], True)


@pytest.mark.parametrize(("version", "crc", "taken"), [(1, 0, True), (1, 1, False), (2, 0, False)])
def test_the_second_name_in_utf_8(version: int, crc: int, taken: bool) -> None:
    """Info-ZIP's field 0x7075 counts where it was written for the name that is there."""
    raw, right = b"?/1.png" + b"\x80", "Ж/1.png"
    field = bytes([version]) + struct.pack("<I", zlib.crc32(raw) ^ crc) + right.encode()
    names, _ = read([raw], extras=[struct.pack("<HH", 0x7075, len(field)) + field])
    assert (names == [right]) == taken


@pytest.mark.slow
@hypothesis.given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=6))
def test_any_bytes_become_names(raw: list[bytes]) -> None:
    """Folders stay as many as they were, and never an exception."""
    raw = [name.replace(b"\0", b"x") for name in raw]
    names, _ = read(raw)
    assert [name.count("/") for name in names] == [name.count(b"/") for name in raw]
