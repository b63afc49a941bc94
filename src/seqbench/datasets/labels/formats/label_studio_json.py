"""Label Studio: its JSON export of time series and audio; predictions that it imports."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile, WrittenLabel, WrittenRecording
from seqbench.datasets.labels.rows import recording_names

UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio writes before the name of a file
TIME_SERIES, AUDIO = "timeserieslabels", "labels"  # types of regions; those of audio are in seconds
SERIES_NAME, CONTROL_NAME, DATA_KEY = "ts", "label", "csv"  # of the template for time series


def read_label_studio(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the regions and instants that people marked in an export.

    Raises
    ------
    DataError
        If the file is no such export, a task is of no recording, or has
        several annotations of which none alone is the ground truth.
    """
    try:
        tasks = json.loads(file.path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise fault(file.path, "it is not UTF-8", "export it as JSON anew") from None
    except json.JSONDecodeError as error:
        raise fault(file.path, f"it is no JSON ({error})", "export it as JSON anew") from None
    number = 0
    seen: dict[str, str] = {}
    for position, task in enumerate(tasks if isinstance(tasks, list) else [tasks], start=1):
        place = f"task {task.get('id', position)}" if isinstance(task, dict) else f"task {position}"
        regions, recording = _regions(file, task, place)
        if regions is not None and seen.setdefault(recording, place) != place:
            problem = f"recording '{recording}' is of {seen[recording]} already"
            raise fault(file.path, problem, "remove one of the tasks", place=place)
        if regions == [] and not file.intervals:
            number += 1
            yield file.searched(number, place, recording)
        for index, region in enumerate(regions or (), start=1):
            where = f"{place}, region {index}"
            for label, onset_s, offset_s in _labels(file, region, settings, recording, where):
                number += 1
                yield file.entry(number, where, label, onset_s, offset_s, recording)


def _regions(file: LabelFile, task: Any, place: str) -> tuple[list[Any] | None, str]:
    """Return the regions of a task, None without an annotation, and its recording."""
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        hint = "export the project as JSON, not as JSON_MIN or CSV"
        raise fault(file.path, "it is no task with data and annotations", hint, place=place)
    annotations = _objects(file, task.get("annotations"), f"{place}, annotations")
    annotations = [one for one in annotations if not one.get("was_cancelled")]
    true = [one for one in annotations if one.get("ground_truth")]
    recording = _recording(file, task["data"], place)
    if len(annotations) > 1 and len(true) != 1:
        problem = f"it has {len(annotations)} annotations"
        raise fault(file.path, problem, "mark one as ground truth, or keep one", place=place)
    chosen = (true or annotations)[:1]
    if not chosen:
        return None, recording
    return _objects(file, chosen[0].get("result"), f"{place}, result"), recording


def _objects(file: LabelFile, value: Any, place: str) -> list[dict[str, Any]]:
    """Return a list of JSON objects; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise fault(file.path, "it is no list of objects", "export it as JSON anew", place=place)
    return value


def _recording(file: LabelFile, data: dict[str, Any], place: str) -> str:
    """Return the recording that a task is of, by the name of the file in its data."""
    known = recording_names(file.recordings)
    texts = [text for text in data.values() if isinstance(text, str)]
    names = [plain(PurePosixPath(unquote(urlsplit(text).path)).name) for text in texts]
    of_task = {known[n] for name in names for n in (name, UPLOADED.sub("", name)) if n in known}
    if len(of_task) != 1:
        problem = f"its data name {'no' if not of_task else 'more than one'} recording"
        hint = f"name one of the recordings by its file; it has {', '.join(names) or 'no text'}"
        raise fault(file.path, problem, hint, place=place)
    return of_task.pop()


def _labels(
    file: LabelFile, region: Any, settings: LabelFiles, recording: str, place: str
) -> Iterator[tuple[str, float, float | None]]:
    """Yield the labels of a region, each with its onset and end in seconds."""
    kind, value = region.get("type"), region.get("value")
    if kind not in (TIME_SERIES, AUDIO) or not isinstance(value, dict):
        problem = f"it is of the type '{kind}'"
        hint = f"only regions of time series ({TIME_SERIES}) and audio ({AUDIO}) are read"
        raise fault(file.path, problem, hint, place=place)
    unit = "s" if kind == AUDIO else settings.unit
    onset_s, end_s = (
        _seconds(file, value.get(bound), unit, recording, place) for bound in ("start", "end")
    )
    names = value.get(kind) or [""]
    for name in names:
        yield str(name), onset_s, None if value.get("instant") or end_s == onset_s else end_s


def _seconds(file: LabelFile, time: object, unit: str | None, recording: str, place: str) -> float:
    """Return a time of a region in seconds."""
    if isinstance(time, bool) or not isinstance(time, int | float):
        hint = "label times that are numbers: seconds, milliseconds or samples"
        raise fault(file.path, f"its time {time!r} is not a number", hint, place=place)
    if unit is None:
        hint = "set `unit` of `labels` to s, ms or samples (where the task has no time column)"
        raise fault(file.path, "the unit of its times is unknown", hint, place=place)
    if unit == "samples":
        return file.seconds_at(time, recording, place)
    return time / 1000 if unit == "ms" else float(time)


def write_label_studio(
    path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording
) -> None:
    """Write one task with predictions in seconds of the time column, instants without an end."""
    regions = [
        {
            "id": f"event{number}",
            "from_name": CONTROL_NAME,
            "to_name": SERIES_NAME,
            "type": TIME_SERIES,
            "score": round(one.score, 4),
            "value": {
                "start": round(one.clock_s, 6),
                "end": round(one.clock_s + (one.duration_s or 0), 6),
                "instant": one.duration_s is None,
                TIME_SERIES: [one.label],
            },
        }
        for number, one in enumerate(labels, start=1)
    ]
    prediction = {"model_version": "seqbench", "result": regions}
    tasks = [{"data": {DATA_KEY: recording.file_name}, "predictions": [prediction]}]
    path.write_text(json.dumps(tasks, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
