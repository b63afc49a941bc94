"""Anything that the pipeline trained or fitted, ready for new recordings."""

import importlib
import logging
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from seqbench import layout
from seqbench.config.registry import TASK_RESULTS
from seqbench.datasets.reading.stream import Stream
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_code import PREDICTORS
from seqbench.prediction.inputs import (
    NewRecordings,
    from_arrays,
    from_files,
    from_stream,
    from_texts,
)
from seqbench.prediction.scale import N_SAMPLES, warn_of_scale
from seqbench.storage.model_card import CARD, read_card
from seqbench.storage.model_header import BaselineHeader, ModelHeader, PredictorHeader
from seqbench.storage.models import StoredModel, read_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.onnx_model import OnnxModel, is_onnx, read_onnx
from seqbench.storage.windows import WindowSet
from seqbench.tasks.results import Predicted, Results
from seqbench.windowing.normalize import normalize
from seqbench.windowing.segment import Origins
from seqbench.windowing.windows import windows_of

if TYPE_CHECKING:
    import pandas as pd

MUCH_LONGER = 2  # times the longest window of train

logger = logging.getLogger("seqbench")


class Predictor:
    """One or several models of the same task and data; the scores of several are averaged.

    Parameters
    ----------
    paths
        Model files, also exported ones, folders of a run or of its seeds, or
        `results/best/DATASET`; see `model_files`.
    device
        auto, cpu, cuda or cuda:N.
    threads
        Of one prediction, 1 in the benchmark; None: as many as torch takes.

    Raises
    ------
    UserError
        If a file holds no model, or models do not fit each other.
    """

    def __init__(
        self, paths: Sequence[Path], device: str = "auto", threads: int | None = None
    ) -> None:
        self.files, stored, self.header = read_models(paths)
        # Exported models normalise their windows themselves.
        self._in_units = isinstance(stored[0], OnnxModel)
        name = EXPORTED if self._in_units else PREDICTORS[self.header.kind]
        module = importlib.import_module(name)
        made: tuple[Callable[[WindowSet], Any], bool, object]
        if len(stored) == 1:
            made = module.predictor(stored[0], self.files[0], device, threads)
        else:
            made = module.ensemble(stored, self.files, device, threads)
        self._predict, self._are_probabilities, _ = made
        self._threads = threads

    def predict(
        self,
        recordings: Any,
        *,
        channels: list[str] | None = None,
        at: Origins = "end",
        **options: Any,
    ) -> Results:
        """Predict recordings that were never seen.

        Parameters
        ----------
        recordings
            A file in any format of ``source: folder``, a folder of them, or a list of
            such paths; an array (n_samples, C) or DataFrame at the sampling rate of the model,
            or a list of them; of tokens a text, or a list of texts; of video arrays
            (n_frames, C, rows, columns).
        channels
            Names of the channels to take from files or DataFrames, in the order of the model; None:
            those the model was trained on by their names, or all as they stand
            where file or model has no names.
        at
            Forecasting: first samples to predict; "end" behind the last one, "all": wherever
            the horizon lies in the recording.
        **options
            How files are read: `header`, `time_column`, `time_unit`, `gaps` and `resample`, as
            for ``source: folder``. Between gaps a recording is predicted as one of its own.

        Returns
        -------
        Results
            Of the task, in `seqbench.tasks`: arrays, `table` and `to_frame`. A recording
            too short for a window has no rows, and the log names it.

        Raises
        ------
        UserError
            If recordings cannot be read, do not fit the model, or none has a window.
        """
        return self.results(self.opened(recordings, channels, **options), at)

    def opened(
        self, recordings: Any, channels: list[str] | None = None, **options: Any
    ) -> NewRecordings:
        """Return recordings as the model takes them; see `predict`."""
        header, given = self.header, recordings
        if isinstance(given, PathLike) or (isinstance(given, str) and header.sample != "tokens"):
            return from_files(header, [Path(given)], channels, **options)
        if isinstance(given, str):
            return from_texts(header, {"text": given}, channels, **options)
        if isinstance(given, list | tuple) and given:
            if all(isinstance(one, PathLike) for one in given):
                return from_files(header, [Path(one) for one in given], channels, **options)
            if all(isinstance(one, str) for one in given):
                if header.sample == "tokens":
                    texts = {f"text {i}": one for i, one in enumerate(given)}
                    return from_texts(header, texts, channels, **options)
                return from_files(header, [Path(one) for one in given], channels, **options)
            if all(np.ndim(one) >= 2 for one in given):
                arrays = {f"recording {i}": one for i, one in enumerate(given)}
                return from_arrays(header, arrays, channels, **options)
        return from_arrays(header, {"recording": given}, channels, **options)

    def of_stream(
        self,
        handle: Stream,
        channels: list[str] | None = None,
        at: Origins = "end",
        **options: Any,
    ) -> Results:
        """Predict what a stream holds once it has ended; see `predict`."""
        return self.results(from_stream(self.header, handle, channels, **options), at)

    def results(self, new: NewRecordings, at: Origins = "end") -> Results:
        """Cut, normalise and predict."""
        origins = checked_origins(self.header, at)
        windows, places = windows_of(new.recordings, self.header, origins, in_units=self._in_units)
        names = new.names
        if not places:
            raise UserError(
                f"{names[0]}: too short, as windows of the model take"
                f" {self.header.cutting.length_samples or self.header.window_samples} samples"
            )
        self._warn(windows, [place.recording for place in places], names)
        values = self._values(windows)
        result: Results = TASK_RESULTS[self.header.task](
            Predicted(
                header=self.header,
                windows=windows,
                places=places,
                names=names,
                lengths=[len(signal) for signal in new.recordings.signals],
                times=new.times,
                values=values,
                are_probabilities=self._are_probabilities,
            )
        )
        return result

    def _warn(self, windows: WindowSet, owners: list[int], names: list[str]) -> None:
        """Warn of recordings that are unlike those of train, or have no window.

        `owners` are the recordings that windows are from, one after the other, (N,).
        """
        known = self.header.window_samples
        present, firsts = np.unique(owners, return_index=True)
        for index in sorted({*range(len(names))} - {*present.tolist()}):
            logger.warning("%s: too short for a window of the model, not predicted", names[index])
        bounds = pairwise([*firsts.tolist(), len(owners)])
        for index, (first, behind) in zip(present.tolist(), bounds, strict=True):
            start = int(windows.start[first])
            stop = int(windows.start[behind - 1] + windows.length[behind - 1])
            looked_at = windows.signal[start : min(stop, start + N_SAMPLES)]
            if self._in_units and self.header.sample != "tokens":
                looked_at = normalize(looked_at, Normalization.of(self.header.normalization))
            warn_of_scale(self.header, names[index], looked_at)
            longest = int(windows.length[first:behind].max())
            if longest > MUCH_LONGER * known and known > 1:
                logger.warning(
                    "%s: a window of %d samples, and those of train had at most %d",
                    names[index], longest, known,
                )  # fmt: skip

    def _values(self, windows: WindowSet) -> Any:
        with threadpool_limits(self._threads):  # those of NumPy, on which last digits depend
            values = self._predict(windows)
        if isinstance(values, np.ndarray) and not np.isfinite(values).all():
            raise FormatError(f"{self.files[0]}: its weights give scores that are no numbers")
        return values


AnyHeader = ModelHeader | BaselineHeader
Stored = StoredModel[ModelHeader | BaselineHeader] | OnnxModel
EXPORTED = "seqbench.prediction.onnx_model"


def load(path: Path | str | Sequence[Path | str], device: str = "auto") -> Predictor:
    """Load a model, ready for new recordings.

    Parameters
    ----------
    path
        A `model.safetensors`, the folder of a run or of its seeds, `results/best/DATASET`, or
        several of them, whose scores are averaged.
    device
        auto, cpu, cuda or cuda:N.

    Raises
    ------
    UserError
        If a file holds no model, or models do not fit each other.
    """
    paths = [path] if isinstance(path, str | Path) else path
    return Predictor([Path(one) for one in paths], device)


def predict(
    model: Path | str | Sequence[Path | str],
    recordings: Any,
    *,
    rows: str | None = None,
    device: str = "auto",
    **options: Any,
) -> "pd.DataFrame":
    """Return predictions of recordings as a table; see `load`, `Predictor` and `Results.table`."""
    return load(model, device).predict(recordings, **options).to_frame(rows)


def checked_origins(header: PredictorHeader, at: Any) -> Origins:
    """Return where forecasts begin.

    Raises
    ------
    UserError
        If it is neither numbers of samples nor a word, or the model does not forecast.
    """
    origins: Origins
    if isinstance(at, str) and at in ("end", "all"):
        origins = "end" if at == "end" else "all"
    else:
        try:
            origins = [operator.index(one) for one in at]
        except TypeError:  # no numbers, or not whole
            origins = []
        if not origins:
            raise UserError("`at` takes numbers of samples, or `end`, or `all`")
    if origins != "end" and not (header.targets and header.targets.horizon_samples):
        raise UserError(f"`at` is for forecasts, not for {header.task}; leave it out")
    return origins


def model_files(path: Path) -> list[Path]:
    """Return the models that a path names.

    They are a file; of `results/best/DATASET` the models of its card, which leaves the baseline
    out; else the model in a folder, or in its folders ``seedN`` the models of all seeds.

    Raises
    ------
    UserError
        If a folder holds none, or a card and models do not fit.
    """
    if not path.is_dir():
        return [path]
    if (path / CARD).is_file():
        return [path / one.file for one in read_card(path).models]
    name = Path(layout.MODEL).name
    if (path / name).is_file():
        return [path / name]
    found = sorted(path.glob(f"seed*/{name}"))
    if not found:
        raise UserError(
            f"{path}: no {name} in it; name a model file, the folder of a run or of its seeds, or"
            " results/best/DATASET"
        )
    return found


def read_models(paths: Sequence[Path]) -> tuple[list[Path], list[Stored], AnyHeader]:
    """Read one model or several that are averaged.

    Parameters
    ----------
    paths
        See `model_files`.

    Returns
    -------
    list of Path
        The model files.
    list of StoredModel
        What they hold.
    header
        Of the first, with what val chose for all of them together.

    Raises
    ------
    UserError
        If a file holds no model, or models do not fit each other.
    """
    files = [file for path in paths for file in model_files(path)]
    stored = [read_predictor(file) for file in files]
    header = stored[0].header
    for file, other in zip(files, stored, strict=True):
        _check_fit(files[0], header, file, other.header)
        if isinstance(other, OnnxModel) != isinstance(stored[0], OnnxModel):
            raise UserError(f"{file}: exported and trained models are not averaged; name either")
    if len(stored) == 1:
        return files, stored, header
    card = read_card(paths[0]) if len(paths) == 1 and (paths[0] / CARD).is_file() else None
    tuned = card.ensemble.tuned if card and card.ensemble else {}
    if header.tuned and not tuned:  # for the scores of one model, which their mean does not share
        raise UserError(
            f"{files[0]}: its thresholds were chosen for its own scores, not for the mean of some"
            " models; name one, or results/best/DATASET, which has those of the mean"
        )
    header = header.model_copy(update={"tuned": tuned})
    try:
        TASK_RESULTS[header.task].check(header)
    except ValueError as error:
        raise FormatError(f"{paths[0]}: its card describes no ensemble ({error})") from None
    return files, stored, header


def read_predictor(path: Path) -> Stored:
    """Read a trained network or a fitted baseline, or what was exported from one.

    Raises
    ------
    UserError
        If the file holds neither, is damaged, or lacks what its task needs to predict.
    """
    stored = read_onnx(path) if is_onnx(path) else read_model(path)
    header = stored.header
    if not isinstance(header, ModelHeader | BaselineHeader):
        raise UserError(
            f"{path}: holds an {header.kind} without a head; name the model of an architecture or"
            " baseline"
        )
    try:
        if header.task not in TASK_RESULTS:
            raise ValueError(TASK_RESULTS.unknown(header.task))
        TASK_RESULTS[header.task].check(header)
    except ValueError as error:
        raise FormatError(f"{path}: its header describes no model ({error})") from None
    return stored if isinstance(stored, OnnxModel) else StoredModel(stored.arrays, header)


def _check_fit(first: Path, header: AnyHeader, path: Path, other: AnyHeader) -> None:
    """Refuse models whose scores cannot be averaged."""
    if header.kind != other.kind:
        raise UserError(f"{path}: baselines and networks are not averaged; name one of them")
    for name in ("task", "sample", "channels", "classes", "sampling_rate_hz", "cutting",
                 "normalization", "targets"):  # fmt: skip
        if getattr(header, name) != getattr(other, name):
            raise UserError(
                f"{path}: has another {name.replace('_', ' ')} than {first}; name models of one"
                " dataset and task"
            )
