"""TextGrids of Praat, in text: a tier of intervals or of points, in seconds.

Of such a file Praat reads free-standing numbers, texts in quotes and flags, in
their order, and nothing else, so that its long and its short form are one. We
do the same: praatio drops the sign of a time, leaves quotes of points doubled
and takes a file in the short form that was cut short for a whole one; pympi takes
1e-05 for 5.

References
----------
Boersma, Weenink. Praat: TextGrid file formats.
https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import DataError, fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile, WrittenLabel, WrittenRecording
from seqbench.datasets.labels.formats.tiers import chosen_tier

TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?P<flag><\w+>)|!.*'
    r"|(?<!\S)(?P<number>[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)(?!\S)"
)
INTERVALS, POINTS = "IntervalTier", "TextTier"
HINT = "save it as text file in Praat anew"


@dataclass(frozen=True)
class Tier:
    """A tier: its entries (start, end, text), the end of a point being None."""

    name: str
    entries: list[tuple[float, float | None, str]]


def read_textgrid(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the points of a tier, or its intervals that have a label.

    Raises
    ------
    DataError
        If the file is no whole TextGrid in UTF-8 or UTF-16, its time does not
        begin at 0, or the tier cannot be chosen.
    """
    tiers = _tiers(file.path)
    names = [tier.name for tier in tiers]
    name = chosen_tier(file.path, names, settings.tier)
    if names.count(name) > 1:
        raise fault(file.path, f"it has two tiers '{name}'", "rename one of them")
    for number, (start_s, end_s, text) in enumerate(tiers[names.index(name)].entries, start=1):
        kind = "point" if end_s is None else "interval"
        if end_s is None or text.strip():  # intervals fill the time, and most hold nothing
            yield file.entry(number, f"tier '{name}', {kind} {number}", text, start_s, end_s)


def _tiers(path: Path) -> list[Tier]:
    """Return all tiers of a file."""
    tokens = Tokens(path, _text(path))
    if not tokens.take("text").startswith("ooTextFile") or tokens.take("text") != "TextGrid":
        raise fault(path, "it is no TextGrid", HINT)
    begin_s, _ = tokens.number(), tokens.number()
    if begin_s != 0:
        problem = f"its time begins at {begin_s:.10g} s, not at 0"
        raise fault(path, problem, "shift its times to 0 in Praat (Modify times)")
    if tokens.take("flag") != "<exists>":
        raise fault(path, "it has no tier", HINT)
    tiers = [_tier(tokens) for _ in range(tokens.count())]
    tokens.check_end()
    return tiers


def _tier(tokens: "Tokens") -> Tier:
    kind, name = tokens.take("text"), tokens.take("text")
    tokens.number(), tokens.number()
    entries = []
    for _ in range(tokens.count()):
        start_s = tokens.number()
        end_s = tokens.number() if kind == INTERVALS else None
        entries.append((start_s, end_s, tokens.take("text")))
    if kind not in (INTERVALS, POINTS):
        raise fault(tokens.path, f"its tier '{name}' is of the class '{kind}'", HINT)
    return Tier(name, entries)


class Tokens:
    """The numbers, texts and flags of a file, one after another."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text
        self._matches = (match for match in TOKEN.finditer(text) if match.lastgroup)
        self._at = 0

    def take(self, kind: str) -> str:
        """Return the next token, which must be of a kind."""
        match = next(self._matches, None)
        if match is None:
            raise fault(self.path, "it ends before all of its tiers", "it was cut short: " + HINT)
        self._at = match.start()
        if match.lastgroup != kind:
            raise self._unexpected(kind)
        return match[kind].replace('""', '"')

    def number(self) -> float:
        """Return the next number."""
        return float(self.take("number"))

    def count(self) -> int:
        """Return the next number, of what follows."""
        number = self.number()
        if not number.is_integer() or number < 0:
            raise self._unexpected("count")
        return int(number)

    def check_end(self) -> None:
        """Refuse what stands behind the last tier."""
        if match := next(self._matches, None):
            self._at = match.start()
            raise self._unexpected("end")

    def _unexpected(self, kind: str) -> DataError:
        line = self._text.count("\n", 0, self._at) + 1
        return fault(self.path, f"there is no {kind} where a TextGrid has one", HINT, row=line)


def _text(path: Path) -> str:
    """Return the text of a file in UTF-16 with a byte order mark, or else in UTF-8."""
    raw = path.read_bytes()
    if raw.startswith(b"ooBinaryFile"):
        raise fault(path, "it is a binary file", HINT)
    try:
        is_utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
        return raw.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        problem = "it is neither UTF-8 nor UTF-16"
        raise fault(path, problem, "choose UTF-8 in Praat (Text writing preferences)") from None


def write_textgrid(path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording) -> None:
    """Write a tier of points, `events`; more than one at a time stand in further tiers."""
    tiers: list[dict[float, str]] = [{}]
    for one in labels:
        free = next((tier for tier in tiers if one.onset_s not in tier), None)
        if free is None:
            tiers.append(free := {})
        free[one.onset_s] = one.label
    limits = ["xmin = 0", f"xmax = {recording.duration_s:.9f}"]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *limits]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, points in enumerate(tiers, start=1):
        name = "events" if number == 1 else f"events {number}"
        lines += [
            f"    item [{number}]:",
            f'        class = "{POINTS}"',
            f'        name = "{name}"',
        ]
        lines += [f"        {limit}" for limit in limits]
        lines.append(f"        points: size = {len(points)}")
        for index, (onset_s, label) in enumerate(points.items(), start=1):
            text = label.replace('"', '""')
            lines += [f"        points [{index}]:", f"            number = {onset_s:.9f}"]
            lines.append(f'            mark = "{text}"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
