"""A user's own recordings, in a folder of files that ordinary tools write.

    PATH/recordings/NAME.SUFFIX    samples x channels; SUFFIX is a key of `READERS`
    PATH/labels.csv     recording,label[,start_s,end_s]; for classification
    PATH/events.csv     recording,onset_s,label[,offset_s]; for detection
    PATH/groups.csv     recording,group; optional

With `labels` the files of another program take the place of the two tables. Times
are in seconds from the first sample of the recording, or on its clock. A row of
`events.csv` with nothing behind the name states that the recording was searched
and holds no event.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from seqbench.config.options import (
    Gaps,
    LabelFiles,
    PhysiologyKinds,
    Positive,
    Text,
    TimeOrigin,
    TimeUnit,
    Tolerance,
)
from seqbench.config.registry import DATASETS, TASKS
from seqbench.datasets.agreement import check_agreement, common_rate_hz, refuse_losses
from seqbench.datasets.base import Faults, checksums, explained, fault
from seqbench.datasets.events import label_columns
from seqbench.datasets.labels.classes import class_labels
from seqbench.datasets.labels.entries import Label, LabelEntry
from seqbench.datasets.labels.events import event_labels
from seqbench.datasets.labels.groups import groups_of
from seqbench.datasets.labels.label_files import label_entries
from seqbench.datasets.labels.times import LabelTimes
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.files import recording_files
from seqbench.datasets.reading.lazy_recording import read_recordings
from seqbench.datasets.reading.precision import Precision
from seqbench.datasets.reading.recording import Recording
from seqbench.datasets.reading.source import select_channels
from seqbench.datasets.segments import gap_notes, segments_of, without_gaps
from seqbench.storage.lazy_array import AnyArray, changed, span
from seqbench.storage.recordings import Recordings, natural_order

logger = logging.getLogger(__name__)


@DATASETS.register(
    "folder",
    task="classification",
    sample="series",
    reads="path",
    offered_by={"ecg": "ecg", "physiology": "physiology"},
    files=("labels.csv", "events.csv", "groups.csv", "recordings/*"),
)
def folder(
    cache: Path,
    *,
    path: Text,
    task: Text = "classification",
    sampling_rate_hz: Positive | None = None,
    times: TimeOrigin | None = None,
    time_column: Text | None = None,
    time_unit: TimeUnit | None = None,
    header: bool | None = None,
    gaps: Gaps = "refuse",
    resample: bool = False,
    channels: tuple[Text, ...] | None = None,
    targets: tuple[Text, ...] | None = None,
    labels: LabelFiles | None = None,
    refractory_s: Positive | None = None,
    tolerance_ms: Tolerance = 5.0,
    ranked_types: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None,
    ecg: Text | None = None,
    physiology: PhysiologyKinds | None = None,
    ungrouped: Literal["own"] | None = None,
) -> Recordings:
    """Read your own recordings from a folder, and their labels or events from files beside them.

    Parameters
    ----------
    cache
        Not used: nothing is downloaded.
    path
        Folder that holds `recordings/` and the CSV files beside it.
    task
        What is to be learned: classification and labelling read `labels.csv`,
        one class for a window or one for every sample; detection reads
        `events.csv`; regression predicts `targets` from the other channels, and
        forecasting the channels themselves, neither with a table.
    sampling_rate_hz
        Samples per second; empty takes it from the files, where they have it.
        A time column decides when each sample was taken, and this its unit where
        neither its name nor `time_unit` does.
    times
        What the times of labels and events count from: "start", the first
        sample, or "clock", the zero of the recording's own time column or
        header. Empty: the first sample, and refused if a clock starts elsewhere.
    time_column
        Tables: name of the time column; empty: by the names of the columns.
    time_unit
        Unit of the time column; empty: by its name, or by its values where
        they leave no doubt. Row numbers are "samples".
    header
        Tables: whether the first row names the columns; empty: it does unless
        all its cells are numbers, and 0,1,2,... is refused.
    gaps
        What to do with a recording that stops and goes on later: "refuse" it, or
        "split" it into recordings NAME~1, NAME~2, ... of one group, each with the labels
        that lie in it; those in a gap are left out, which the page states.
    resample
        Whether recordings of other rates, and channels of other rates in EDF and WFDB
        files, are brought to `sampling_rate_hz` by a polyphase filter.
    channels
        Names of the channels to keep, in this order; empty keeps all.
    targets
        Regression: names of the channels to predict, which models do not see.
    labels
        Label files of another program in place of `labels.csv` and `events.csv`, as
        {format: audacity, path: my_labels}; formats: audacity, bids, edf, elan,
        label_studio, raven, textgrid, wfdb. docs/reference/labels.md has the options of each.
    refractory_s
        Detection: shortest time between two events of one type; empty: none known.
    tolerance_ms
        Detection: how far off an onset may be found in the headline of the report.
    ranked_types
        Detection: types of event whose mean F1 ranks models, each with a threshold for
        its own F1; for types that differ much in number. Empty: F1 over all events ranks.
    ecg
        Detection: name of the channel that is an electrocardiogram, in which baselines
        such as xqrs look for beats; empty: none is.
    physiology
        Classification: what channels measure, as {PLETH: pulse, GSR: eda}, for the
        baseline physiology_forest: pulse, ecg, eda, temperature, acceleration or
        other. Channels left out are known by the first word of their names (bvp, ppg,
        ecg, eda, gsr, temp, acc, ...), all of them with {}; empty: the baseline does
        not run.
    ungrouped
        own: a recording that `groups.csv` does not name is a group of its own;
        empty: it is refused. Without that file each is one anyway.

    Returns
    -------
    Recordings
        Sorted by name; those without a label or event are kept for pretraining.

    Raises
    ------
    DataError
        In one sentence that names the file, the row or key, and the fix; `DataErrors` holds
        those of other files.
    """
    del cache
    root = Path(path)
    with explained(root, "correct `path` or make the folder readable"):
        root = root.expanduser()
        carried = TASKS.entry(task).tags.get("labels", "classes")
        for_events = {"refractory_s": refractory_s, "ecg": ecg, "ranked_types": ranked_types}
        _check_options(root, task, carried, labels, times, targets, physiology, for_events)
        if resample and sampling_rate_hz is None:
            raise fault(root, "`resample` has no rate to go to", "set `sampling_rate_hz`, too")
        faults = Faults()  # every bad file is named at once
        files = _recording_files(root, labels, faults)
        options: dict[str, Any] = {
            "targets": targets or (),
            "header": header,
            "time_column": time_column,
            "time_unit": time_unit,
            "sampling_rate_hz": sampling_rate_hz,
            "gaps": gaps,
            "resample": resample,
        }
        found = read_recordings(files, channels, faults=faults, **options)
        check_agreement(root, found, faults)
        rate = common_rate_hz(root, found, sampling_rate_hz, faults)
        faults.check()
        subtracted = Precision.joined(one.precision for one in found.values()).offsets()
        if any(subtracted):
            found = read_recordings(
                files, channels, faults=faults, **options, subtracted=subtracted
            )
            faults.check()
            refuse_losses(found)
        if labels is not None and labels.counts_samples:
            times = "start"
        clocks = {name: _label_times(one, rate, times) for name, one in found.items()}
        labelled: dict[str, list[Label]] = {}
        in_gaps: list[LabelEntry] = []
        tables: list[Path] = []
        with faults.collected():
            if carried == "events":
                entries, tables = label_entries(root, found, clocks, labels, intervals=False)
                entries, in_gaps = without_gaps(entries, clocks, are_events=True)
                labelled = event_labels(entries, clocks, refractory_s)
            elif carried == "classes":
                entries, tables = label_entries(root, found, clocks, labels, intervals=True)
                entries, in_gaps = without_gaps(entries, clocks, are_events=False)
                labelled = class_labels(entries, clocks)
        groups: dict[str, str] = {}
        with faults.collected():
            groups = groups_of(root / "groups.csv", found, ungrouped)
        faults.check()
        tables += [file for file in (root / "groups.csv",) if file.exists()]
        read = [*tables, *(file for one in found.values() for file in one.files)]
        sums = checksums(root, read)

        segments = segments_of(found)

    are_events = carried == "events"
    first = next(iter(found.values()))
    classes = sorted(
        {one.name for of_one in labelled.values() for one in of_one}, key=natural_order
    )
    events = [
        [
            label.event(classes)
            for label in (one.events if are_events else one.labels)(labelled.get(one.recording, []))
        ]
        for one in segments
    ]
    # A recording without a row is unknown; one whose row is empty is known to hold no event.
    known = [[0, one.stop - one.start if one.recording in labelled else 0] for one in segments]
    predicted = select_channels(root / "recordings", first.channels, targets or (), "targets")
    absent = [name for name in ranked_types or () if name not in classes]
    if absent:
        problem = f"`ranked_types` names '{absent[0]}', which no event is"
        raise fault(root, problem, f"choose among {', '.join(classes)}")
    if twice := [name for name, n in Counter(ranked_types or ()).items() if n > 1]:
        raise fault(root, f"`ranked_types` names '{twice[0]}' twice", "name each type once")
    if ecg is not None:
        select_channels(root / "recordings", first.channels, [ecg], "ecg")
    select_channels(root / "recordings", first.channels, [*(physiology or ())], "physiology")
    inputs = sorted({*range(len(first.channels))} - {*predicted})
    if not inputs:
        raise fault(root, "`targets` leave no channel as input", "name fewer")
    units = [_unit_less(*pair) for pair in zip(first.units, subtracted, strict=True)]
    source: dict[str, Any] = {"origin": "folder", "files": sums}
    notes = gap_notes(found, in_gaps, labelled, are_events=are_events)
    notes += _same_but_for_case(classes)
    for note in notes:
        logger.warning("%s", note)
    if len(segments) > len(found):
        source["segments"] = {one.name: one.recording for one in segments}
    if ecg is not None:
        source["ecg"] = ecg
    if physiology is not None:
        source["physiology"] = dict(physiology)
    if any(subtracted):
        source["subtracted"] = [subtracted[i] for i in inputs]
        notes += _offset_notes(first.channels, subtracted)
    if notes:
        source["notes"] = notes
    signals = [span(found[one.recording].signal, one.start, one.stop) for one in segments]
    return Recordings(
        task=task,
        sample="series",
        signals=[_columns(one, inputs) for one in signals],
        targets=[_columns(one, predicted) for one in signals] if predicted else None,
        target_names=[first.channels[i] for i in predicted],
        target_units=[units[i] for i in predicted],
        names=[one.name for one in segments],
        groups=[groups[one.recording] for one in segments],
        splits=[""] * len(segments),
        channels=[first.channels[i] for i in inputs],
        units=[units[i] for i in inputs],
        classes=classes,
        **label_columns(events),
        known=np.array(known, dtype=np.int64) if are_events else None,
        sampling_rate_hz=rate,
        refractory_s=refractory_s,
        tolerance_ms=tolerance_ms if are_events else None,
        ranked_types=None if ranked_types is None else list(ranked_types),
        source=source,
    )


def _check_options(
    root: Path,
    task: str,
    carried: str,
    labels: LabelFiles | None,
    times: TimeOrigin | None,
    targets: tuple[str, ...] | None,
    physiology: PhysiologyKinds | None,
    for_events: Mapping[str, object],
) -> None:
    """Refuse options that do not fit the task, which has labels of the kind `carried`."""
    for name, value in for_events.items():
        if carried != "events" and value is not None:
            hint = "leave it out or set `task: detection`"
            raise fault(root, f"`{name}` belongs to events, not to {task}", hint)
    if (carried == "values") != bool(targets):
        hint = "name them for regression, and for regression alone"
        raise fault(root, "`targets` are the channels that regression predicts", hint)
    if carried not in ("events", "classes") and labels is not None:
        raise fault(root, f"`labels` are not what {task} predicts", "leave it out")
    if task != "classification" and physiology is not None:
        problem = f"`physiology` belongs to classification, not to {task}"
        raise fault(root, problem, "leave it out")
    if labels is not None and labels.counts_samples and times == "clock":
        problem = f"`times: clock` does not fit labels of {labels.format}"
        raise fault(root, problem, "they count from the first sample: leave it out")


def _same_but_for_case(classes: list[str]) -> list[str]:
    """Return a sentence for each two classes that only capitals tell apart."""
    first = {name.casefold(): name for name in reversed(classes)}
    twins = [(first[name.casefold()], name) for name in classes]
    return [
        f"Classes '{one}' and '{other}' differ in capitals alone; they are two classes."
        for one, other in twins
        if one != other
    ]


def _offset_notes(channels: list[str], subtracted: Sequence[float]) -> list[str]:
    """Return a sentence for each channel from which a number is subtracted."""
    return [
        f"Single precision would lose the changes of channel '{name}' beside its offset, so"
        f" {number:.10g} is subtracted from it, here and in predictions."
        for name, number in zip(channels, subtracted, strict=True)
        if number
    ]


def _unit_less(unit: str, subtracted: float) -> str:
    """Return the unit of values from which a number was subtracted."""
    return f"{unit} less {subtracted:.10g}".strip() if subtracted else unit


def _label_times(one: Recording, rate_hz: float | None, origin: TimeOrigin | None) -> LabelTimes:
    """Return how times become samples of a recording: by its own clock, or the common rate."""
    clock = one.times
    if clock is None and rate_hz is not None:
        clock = SampleTimes.uniform(rate_hz)
    return LabelTimes(len(one.signal), clock, origin)


def _columns(signal: AnyArray, chosen: list[int]) -> AnyArray:
    """Return the chosen channels of a recording, as lazy as it is."""
    return changed(signal, lambda rows, _: rows[:, chosen], row=(len(chosen),))


def _recording_files(root: Path, labels: LabelFiles | None, faults: Faults) -> dict[str, Path]:
    """Return the file of each recording by its name, sorted."""
    inside = root / "recordings"
    if not root.is_dir():
        raise fault(root.absolute(), "there is no such folder", "correct `path`")
    if not inside.is_dir():
        raise fault(inside, "there is no such folder", "make it and put the recordings into it")
    return recording_files(inside, () if labels is None else labels.beside_recordings, faults)
