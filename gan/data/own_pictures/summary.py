"""What became of a person's files, in sentences. The page, the command line and the prepared file say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

from gan.data.own_pictures.layout import listed, natural, printable, quoted
from gan.data.pictures import UNTITLED, Header

MOST_CLASSES_SAID = 8
UNEQUAL = 10  # times as many pictures in the largest class as in the smallest
_AS_JPEG = (
    ".heic", ".heif", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".jxl", ".jp2", ".j2k", ".avif",
)  # fmt: skip
_AS_PNG = (
    ".svg", ".psd", ".eps", ".ai", ".ico", ".tga", ".exr", ".hdr", ".xcf", ".dds", ".npy", ".dcm", ".nii",
)  # fmt: skip
_OF_PAGES = (".pdf", ".djvu", ".epub")
_PACKED = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg")


@dataclass(frozen=True)
class Summary:
    """What a data set of own pictures holds, and what was left out of it."""

    title: str
    count: int  # pictures to train on
    test: int = 0  # held back to test with; 0: none were
    classes: tuple[tuple[str, int], ...] = ()  # (name, pictures to train on), in the order of the labels
    skipped: int = 0  # files that were given and are not in the set, system files apart
    notes: tuple[str, ...] = ()  # sentences

    @property
    def sentence(self) -> str:
        return " ".join([self._counts(), *self._unequal(), *self.notes])

    def _counts(self) -> str:
        many = counted(self.count, "picture")
        held = f" and {self.test:,} held back to test with" if self.test else ""
        if not self.classes:
            return f"{many}{held}."
        said = [f"{name} ({n:,})" for name, n in self.classes[:MOST_CLASSES_SAID]]
        more = len(self.classes) - len(said)
        return f"{many}{held}, {len(self.classes)} classes: {', '.join(said)}{f' and {more} more' if more else ''}."

    def _unequal(self) -> list[str]:
        if not self.classes:
            return []
        least, most = (choose(self.classes, key=lambda c: c[1]) for choose in (min, max))
        single = [quoted(name) for name, n in self.classes if n == 1]
        words = []
        if single:
            words.append(f"{listed(single)} {'has' if len(single) == 1 else 'have'} a single picture.")
        if most[1] >= UNEQUAL * least[1]:
            words.append(
                f"The classes are unequal: {quoted(most[0])} has {most[1] / least[1]:,.0f} times as many as "
                f"{quoted(least[0])}."
            )
        return words

    def public(self) -> Summary:
        """What all may know who have the same pictures: nothing of the files that they came from."""
        return replace(self, title=UNTITLED, skipped=0, notes=())

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, header: Header) -> Summary | None:
        """What a prepared file says; None in those of older versions, and where it is damaged."""
        return cls.stored(header.words.get("summary"))

    @classmethod
    def stored(cls, text: str | None) -> Summary | None:
        """What `to_json` made; None where that is missing or damaged."""
        try:
            return cls.from_json(text or "")
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """Raises ValueError, KeyError, TypeError or OverflowError where it is damaged."""
        found = json.loads(text)
        classes = tuple((str(name), int(n)) for name, n in found["classes"])
        numbers = {name: int(found[name]) for name in ("count", "test", "skipped")}
        return cls(str(found["title"]), classes=classes, notes=tuple(map(str, found["notes"])), **numbers)


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def is_picture(suffix: str) -> bool:
    """Whether files with this ending, in small letters, are pictures to a person."""
    return suffix in _AS_JPEG or suffix in _AS_PNG


def is_packed(suffix: str) -> bool:
    """Whether files with this ending, in small letters, hold other files."""
    return suffix in _PACKED


def left_out(names: Iterable[str]) -> list[str]:
    """What is said of files that are no pictures this program reads, by their endings."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
        groups.setdefault(_group(suffix), []).append(name)
    return [_left(kind, advice, found) for (kind, advice), found in sorted(groups.items(), key=_by_number)]


def _by_number(group: tuple[tuple[str, str], list[str]]) -> tuple[bool, int, str]:
    """Pictures first, the most first."""
    return not group[0][0], -len(group[1]), group[0][0]


def _group(suffix: str) -> tuple[str, str]:
    for suffixes, advice in (
        (_AS_JPEG, ": export them as JPEG"),
        (_AS_PNG, ": export them as PNG"),
        (_OF_PAGES, ": export their pages as PNG"),
        (_PACKED, ": unpack them first"),
        (_FILMS, ""),
    ):
        if suffix in suffixes:
            return suffix, advice
    return "", ""


def _left(kind: str, advice: str, names: list[str]) -> str:
    n = len(names)
    what = (
        f"{n:,} {kind} file{'' if n == 1 else 's'}"
        if kind
        else f"{n:,} other file{'' if n == 1 else 's'} ({first_of(names)})"
    )
    advice = advice.replace("their pages", "its pages").replace("them", "it") if n == 1 else advice
    return f"{what} {'was' if n == 1 else 'were'} left out{advice}."


def first_of(names: Sequence[str]) -> str:
    name = printable(names[0])
    return name if len(names) == 1 else f"first: {name}"


def not_followed(links: Sequence[str], where: str) -> str:
    """What is said of links to other places of a disk."""
    n = len(links)
    return f"{counted(n, 'link')} {where} {'was' if n == 1 else 'were'} not followed ({first_of(links)})."


def not_opened(folders: Sequence[str]) -> str:
    """What is said of folders that this program may not read."""
    n = len(folders)
    return f"{counted(n, 'folder')} may not be read and {'was' if n == 1 else 'were'} left out ({first_of(folders)})."


def placed_out(where: str, names: Sequence[str]) -> str:
    """What is said of pictures for which the layout has no place."""
    n = len(names)
    return f"{counted(n, 'picture')} {where} {'was' if n == 1 else 'were'} left out ({first_of(names)})."


def unreadable(reasons: Sequence[tuple[str, str]]) -> list[str]:
    """reasons: (name, why) of each file that could not be read."""
    if not reasons:
        return []
    name, why = reasons[0]
    return [f"{len(reasons):,} could not be read ({'' if len(reasons) == 1 else 'first: '}{printable(name)}, {why})."]


def without_pictures(kinds: Iterable[str], found: Iterable[str]) -> list[str]:
    """What is said of folders that would be classes, had a picture in them been readable."""
    empty = sorted(set(kinds) - set(found), key=natural)
    if not empty:
        return []
    return [
        f"{listed([quoted(k) for k in empty])} {'has' if len(empty) == 1 else 'have'} no picture that could be used."
    ]


def of_pixels(count: int, flat: int, dark: float, copies: int) -> list[str]:
    """flat: pictures of one colour. dark: mean brightness, 0..255. copies: pictures that equal an earlier one."""
    words = []
    if copies == count - 1:
        words.append("All pictures are the same.")
    elif copies:
        words.append(f"{copies:,} {'is a copy of another' if copies == 1 else 'are copies of others'}.")
    if flat:
        words.append(f"{'All' if flat == count else f'{flat:,}'} {'shows' if flat == 1 else 'show'} one colour only.")
    if dark < DARK and flat < count:
        words.append(f"The pictures are very dark: {100 * dark / 255:.0f} % of white on average.")
    return words


DARK = 16.0  # of 255


def of_lengths(long: int, count: int) -> list[str]:
    if not long:
        return []
    which = "All pictures are" if long == count else f"{counted(long, 'picture')} {'is' if long == 1 else 'are'}"
    return [f"{which} long, and only the middle is kept; “Pad” keeps all of a picture."]
