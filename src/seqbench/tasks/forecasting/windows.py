"""Windows of forecasting: a horizon stands behind each."""

from dataclasses import replace

import numpy as np

from seqbench.config.registry import TASK_WINDOWS
from seqbench.config.stages import TransformSettings
from seqbench.datasets.base import DataError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import Change, changed, span
from seqbench.storage.recordings import Recordings
from seqbench.tasks.windows import TaskWindows
from seqbench.windowing.segment import Origins, Window, hop_samples
from seqbench.windowing.transform import check_length, n_samples_lost, transformed


def _transforming(settings: TransformSettings, name: str) -> Change:
    return lambda rows, first: transformed(rows, settings, name, first)


@TASK_WINDOWS.register("forecasting")
class ForecastingWindows(TaskWindows):
    """Windows with a horizon of the split behind each; a window may begin before its split."""

    needed = "window with a horizon behind it"

    def prepared(self, recordings: Recordings, job: WindowJobSettings) -> Recordings:
        """Return recordings with a transformed signal, the signal itself as target."""
        if job.transform.log and any(recordings.source.get("subtracted", ())):
            raise DataError(
                "transform.log: an offset that single precision cannot hold is subtracted from the"
                " channels, and what is left has another logarithm; leave `log` out"
            )
        n_lost = n_samples_lost(job.transform)
        for signal, name in zip(recordings.signals, recordings.names, strict=True):
            check_length(len(signal), job.transform, name)
        signals = [
            changed(
                signal,
                _transforming(job.transform, name),
                n_ahead=n_lost,
            )
            for signal, name in zip(recordings.signals, recordings.names, strict=True)
        ]
        return replace(
            recordings,
            signals=signals,
            targets=[span(signal, n_lost, len(signal)) for signal in recordings.signals],
            target_names=recordings.channels,
            target_units=recordings.units,
            known=np.maximum(recordings.whole_spans - n_lost, 0),
        )

    def n_lost(self, job: WindowJobSettings) -> int:
        """Return the samples that differences take."""
        return n_samples_lost(job.transform)

    def look_back(self, job: WindowJobSettings) -> int:
        """Return the samples of a window, or those that undo the differences."""
        return max(job.window.length_samples or 1, n_samples_lost(job.transform))

    def horizon_samples(self, job: WindowJobSettings) -> int:
        """Return the samples of a horizon."""
        return job.window.horizon_samples or 1

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut windows with a horizon behind each that lies where targets are known.

        A window may begin before that place; its horizon never does.
        """
        length, settings = job.window.length_samples, job.window
        if length is None:
            raise ValueError("forecasting needs `window.length_samples`")
        hop = hop_samples(length, settings) if settings.overlap or settings.step_samples else 1
        first, horizon = self.look_back(job), self.horizon_samples(job)
        return [
            Window(recording, origin - length, origin, 0)
            for recording, (known_start, known_stop) in enumerate(recordings.known_spans.tolist())
            for origin in range(max(known_start, first), known_stop - horizon + 1, hop)
        ]

    def cut_new(
        self, recordings: Recordings, job: WindowJobSettings, origins: Origins
    ) -> list[Window]:
        """Cut the windows before each origin; their horizon may lie behind the recording.

        Raises
        ------
        DataError
            If a recording is too short, or does not reach from a window before an origin to it.
        """
        if origins == "all":
            return self.cut(recordings, job)
        length, first = job.window.length_samples or 1, self.look_back(job)
        n_lost = self.n_lost(job)
        windows = []
        for recording, n_samples in enumerate(recordings.lengths.tolist()):
            chosen = [n_samples] if origins == "end" else [one - n_lost for one in origins]
            for origin in chosen:
                if not first <= origin <= n_samples:
                    raise DataError(
                        f"recording '{recordings.names[recording]}' has"
                        f" {n_samples + n_lost} samples, and a forecast from sample"
                        f" {origin + n_lost} needs the {first + n_lost} before it"
                    )
                windows.append(Window(recording, origin - length, origin, 0))
        return windows
