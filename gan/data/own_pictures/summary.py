"""What became of a person's files, in sentences. The page, the command line and the prepared file say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

from gan.core.messages import joined, say, texts_of, with_messages
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
        return joined([self._counts(), *self._unequal(), *self.notes])

    def _counts(self) -> str:
        many = say("data.pictures", count=self.count)
        if self.test:
            many = say("data.pictures_and_held", pictures=many, held=self.test)
        if not self.classes:
            return say("data.summary", pictures=many)
        said = [say("data.class_and_count", name=name, count=n) for name, n in self.classes[:MOST_CLASSES_SAID]]
        words = {"pictures": many, "number": len(self.classes), "classes": said}
        more = len(self.classes) - len(said)
        return say("data.summary_more_classes", **words, more=more) if more else say("data.summary_classes", **words)

    def _unequal(self) -> list[str]:
        if not self.classes:
            return []
        least, most = (choose(self.classes, key=lambda c: c[1]) for choose in (min, max))
        single = [quoted(name) for name, n in self.classes if n == 1]
        words: list[str] = []
        if single:
            words.append(say("data.single_picture", count=len(single), names=listed(single)))
        if most[1] >= UNEQUAL * least[1]:
            words.append(say("data.unequal", most=most[0], times=most[1] / least[1], least=least[0]))
        return words

    def public(self) -> Summary:
        """What all may know who have the same pictures: nothing of the files that they came from."""
        return replace(self, title=UNTITLED, skipped=0, notes=())

    def to_json(self) -> str:
        return json.dumps(with_messages(asdict(self)))

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
        return cls(str(found["title"]), classes=classes, notes=texts_of(found, "notes"), **numbers)


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
    return [
        say(f"data.left_out_{kind}", count=len(found), suffix=suffix, first=first_of(found))
        for (suffix, kind), found in sorted(groups.items(), key=_by_number)
    ]


def _by_number(group: tuple[tuple[str, str], list[str]]) -> tuple[bool, int, str]:
    """Pictures first, the most first."""
    return not group[0][0], -len(group[1]), group[0][0]


def _group(suffix: str) -> tuple[str, str]:
    """(the ending, what is said of such files): all that nobody knows are one group without an ending."""
    for suffixes, kind in (
        (_AS_JPEG, "jpeg"),
        (_AS_PNG, "png"),
        (_OF_PAGES, "pages"),
        (_PACKED, "packed"),
        (_FILMS, "films"),
    ):
        if suffix in suffixes:
            return suffix, kind
    return "", "others"


def first_of(names: Sequence[str]) -> str:
    name = printable(names[0])
    return name if len(names) == 1 else say("data.first", name=name)


def not_followed(links: Sequence[str], where: str) -> str:
    """What is said of links to other places of a disk. where: "folder", to one; or "zip", in one."""
    return say(f"data.not_followed_{where}", count=len(links), first=first_of(links))


def not_opened(folders: Sequence[str]) -> str:
    """What is said of folders that this program may not read."""
    return say("data.not_opened", count=len(folders), first=first_of(folders))


def placed_out(where: str, names: Sequence[str]) -> str:
    """What is said of pictures for which the layout has no place."""
    return say("data.placed_out", count=len(names), where=where, first=first_of(names))


def unreadable(reasons: Sequence[tuple[str, str]]) -> list[str]:
    """reasons: (name, why) of each file that could not be read."""
    if not reasons:
        return []
    name, why = reasons[0]
    return [say("data.unreadable", count=len(reasons), name=printable(name), why=why)]


def without_pictures(kinds: Iterable[str], found: Iterable[str]) -> list[str]:
    """What is said of folders that would be classes, had a picture in them been readable."""
    empty = sorted(set(kinds) - set(found), key=natural)
    return [say("data.without_pictures", count=len(empty), names=listed([quoted(k) for k in empty]))] if empty else []


def of_pixels(count: int, flat: int, dark: float, copies: int) -> list[str]:
    """flat: pictures of one colour. dark: mean brightness, 0..255. copies: pictures that equal an earlier one."""
    words: list[str] = []
    if copies == count - 1:
        words.append(say("data.all_the_same"))
    elif copies:
        words.append(say("data.copies", count=copies))
    if flat:
        words.append(say("data.all_flat") if flat == count else say("data.flat", count=flat))
    if dark < DARK and flat < count:
        words.append(say("data.dark", percent=100 * dark / 255))
    return words


DARK = 16.0  # of 255


def of_lengths(long: int, count: int) -> list[str]:
    if not long:
        return []
    return [say("data.all_long") if long == count else say("data.long", count=long)]
