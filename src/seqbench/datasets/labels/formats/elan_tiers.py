"""Tiers of ELAN, `.eaf`: intervals in milliseconds from the start of the media, read by pympi."""

from collections.abc import Iterator

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.labels.formats.tiers import chosen_tier
from seqbench.datasets.reading.source import package


def read_elan(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the annotations of a tier that have times of their own.

    Raises
    ------
    DataError
        If the tier cannot be chosen, depends on another one, or the media does not begin at 0.
    """
    elan = package(file.path, "pympi.Elan").Eaf(str(file.path), suppress_version_warning=True)
    for media in elan.media_descriptors:
        if int(media.get("TIME_ORIGIN", 0)):
            problem = f"its time begins {media['TIME_ORIGIN']} ms into {media.get('MEDIA_URL')}"
            raise fault(file.path, problem, "set the offset of the media to 0 in ELAN")
    tier = chosen_tier(file.path, list(elan.get_tier_names()), settings.tier)
    aligned, referring, *_ = elan.tiers[tier]
    if referring:
        hint = "name the tier that it depends on in `tier` of `labels`"
        raise fault(file.path, "its annotations have no times", hint, place=f"tier '{tier}'")
    for number, (start, end, text, *_) in enumerate(aligned.values(), start=1):
        place = f"tier '{tier}', annotation {number}"
        times_ms = [elan.timeslots[slot] for slot in (start, end)]
        if None in times_ms:
            raise fault(file.path, "it has no time", "align it in ELAN", place=place)
        onset_s, end_s = (int(time_ms) / 1000 for time_ms in times_ms)
        yield file.entry(number, place, text, onset_s, None if end_s == onset_s else end_s)
