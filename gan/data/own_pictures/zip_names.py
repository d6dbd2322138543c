"""Names in a zip. Old programs wrote them in the code page of their Windows and did not say which: it is found here."""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # an extra field in which some programs give the name once more, in UTF-8
# Of the west (DOS, DOS, Windows), China, Japan, Korea, Russia (DOS, Windows).
_PAGES = ("cp437", "cp850", "cp1252", "gb18030", "cp932", "cp949", "cp866", "cp1251")
_SAME_PAGE = {
    "gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949",
    "ibm866": "cp866", "windows-1251": "cp1251", "windows-1252": "cp1252",
}  # fmt: skip
SURE = 1.4  # times as likely as the next that reads other words
# Writings that nobody mixes in one word; Chinese and Japanese signs stand beside letters ("T恤"), Korean ones do not.
ALPHABETS = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "THAANA", "NKO"}
_APART = {"cp949": {*ALPHABETS, "HANGUL"}}
_RUN = re.compile(r"[^\W\d_]+")
_KANA = re.compile("[\u3040-\u30ff]")  # which nobody mixes with Korean
_LETTERS = re.compile(r"[\w\s.,;:+\-()\[\]{}&'!#%@=~$^・ー]*")


def names_of(infos: Sequence[zipfile.ZipInfo]) -> tuple[list[str], bool]:
    """The name of each entry with "/" between folders, and whether all of them are sure.

    Where no code page is likely enough, a folder that cannot be read is called "class 1", "class 2" and so on.
    """
    known = [_said(info) for info in infos]
    unsaid = [_raw(info) for info, name in zip(infos, known, strict=True) if name is None]
    page = _page(unsaid)
    numbers: dict[bytes, str] = {}
    pairs = zip(infos, known, strict=True)
    return [_decoded(_raw(i), page, numbers) if name is None else name for i, name in pairs], page is not None


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437")  # as which zipfile reads what is not said to be UTF-8


def _said(info: zipfile.ZipInfo) -> str | None:
    """A name of which the zip says how it is written."""
    if info.flag_bits & _UTF8_FLAG:
        return info.orig_filename
    if info.orig_filename.isascii():
        return info.orig_filename
    return _unicode_path(info.extra, _raw(info))


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(field) == length > 5 and field[0] == 1:
            written_for = int.from_bytes(field[1:5], "little")
            if written_for == zlib.crc32(raw):  # else the entry was renamed by a program that did not know the field
                return _strictly(field[5:], "utf-8")
    return None


def _strictly(raw: bytes, page: str) -> str | None:
    try:
        return raw.decode(page)
    except UnicodeDecodeError:
        return None


def _page(names: list[bytes]) -> str | None:
    """The one code page in which all names make words; None when that is not sure."""
    if not names:
        return "utf-8"
    parts = sorted({part for name in names for part in name.split(b"/") if not part.isascii()})[:2000]
    text = b"\n".join(parts)
    if (read := _strictly(text, "utf-8")) is not None and not _is_jumble(read, "utf-8"):
        return "utf-8"
    possible = [page for page in _PAGES if _makes_words(_strictly(text, page), page)]
    likely = _likely(text)
    ranked = sorted(possible, key=lambda page: -likely.get(page, 0.0))
    if not ranked or not likely.get(ranked[0]):
        return None
    others = [likely.get(page, 0.0) for page in ranked[1:] if _strictly(text, page) != _strictly(text, ranked[0])]
    return ranked[0] if likely[ranked[0]] >= SURE * max(others, default=0.0) else None


def _likely(text: bytes) -> dict[str, float]:
    """How likely each code page is, 0 to 1, by how often its letters follow each other in its languages."""
    import chardet  # only where a zip needs it

    found = chardet.detect_all(
        text, ignore_threshold=True, include_encodings=[*_PAGES, "utf-8"], no_match_encoding="utf-8"
    )
    pages = [(entry["encoding"], entry["confidence"] or 0.0) for entry in found if entry["encoding"]]
    return {_SAME_PAGE.get(page.lower(), page.lower()): confidence for page, confidence in pages}


def _makes_words(text: str | None, page: str) -> bool:
    """Letters and what stands between them: the same bytes read in another page are boxes, fractions or a jumble."""
    if text is None or (page == "cp949" and _KANA.search(text)):
        return False
    return not _is_jumble(text, page) and _LETTERS.fullmatch(unicodedata.normalize("NFKC", text)) is not None


def _is_jumble(text: str, page: str) -> bool:
    apart = _APART.get(page, ALPHABETS)
    return any(len(_scripts(run) & apart) > 1 for run in _RUN.findall(text))


def _scripts(letters: str) -> set[str]:
    return {unicodedata.name(letter, "").split(" ")[0] for letter in letters}


def _decoded(raw: bytes, page: str | None, numbers: dict[bytes, str]) -> str:
    if page is not None:
        return raw.decode(page)
    *folders, file = raw.split(b"/")
    kinds = [f.decode() if f.isascii() else numbers.setdefault(f, f"class {len(numbers) + 1}") for f in folders]
    return "/".join([*kinds, file.decode("ascii", "replace")])
