"""Known events in real recordings: what is added, where, and how strong."""

import numpy as np
import pytest

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import DataError
from seqbench.datasets.hybrid import hybrid
from seqbench.storage.lazy_array import LazyArray

RATE = 1000.0
SHAPE = np.sin(np.pi * np.arange(20) / 20)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "recordings").mkdir()
    return tmp_path


@pytest.fixture
def noise(root):
    """Write two recordings of noise of 1 and 3 on two channels; return them."""
    generator = np.random.default_rng(0)
    signals = [generator.normal(scale=[1, 3], size=(20_000, 2)).astype(np.float32) for _ in "ab"]
    for name, signal in zip("ab", signals, strict=True):
        np.save(root / f"recordings/{name}.npy", signal)
    return signals


def write_templates(root, **changes):
    values = np.zeros((2, 2, 20))
    values[0, 0], values[1, 1] = SHAPE, 2 * SHAPE
    arrays = {"templates": values, "onset": 5} | changes
    np.savez(root / "templates.npz", **{n: a for n, a in arrays.items() if a is not None})


def made(root, **options):
    chosen = {"templates": "file", "sampling_rate_hz": RATE, "rate_hz": 0.5} | options
    return hybrid(root, path=str(root), **chosen)


def test_what_is_added_is_the_templates_at_the_labels_times_the_amplitudes(root, noise):
    write_templates(root, types=np.array(["dong", "ding"]))
    found = made(root)

    assert found.classes == ["dong", "ding"]
    templates, factors = found.truth["templates"], found.label_amplitude
    events = list(zip(found.label_recording, found.label_start, found.label, strict=True))
    assert len(np.unique(factors)) == len(events) > 10
    for i, background in enumerate(noise):
        expected = background.astype(np.float64)
        for (recording, onset, kind), factor in zip(events, factors, strict=True):
            if recording == i:
                expected[onset - 5 : onset + 15] += factor * templates[kind].T
        np.testing.assert_allclose(found.signals[i], expected, atol=1e-5)
    np.testing.assert_array_equal(found.known_spans, [[0, 20_000], [0, 20_000]])


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_the_ratio_is_the_peak_over_the_noise_of_the_channel_where_it_is_greatest(
    root, noise, snr_db
):
    write_templates(root)

    peaks = np.abs(made(root, snr_db=snr_db).truth["templates"]).max(axis=2)

    assert peaks[0, 0] == pytest.approx(10 ** (snr_db / 20), rel=0.05)
    assert peaks[1, 1] == pytest.approx(3 * 10 ** (snr_db / 20), rel=0.05)


def test_sway_is_no_noise(root):
    time_s = np.arange(20_000) / RATE
    sway = 100 * np.sin(2 * np.pi * 0.2 * time_s)
    generator = np.random.default_rng(0)
    signal = sway[:, None] + generator.standard_normal((20_000, 2))
    np.save(root / "recordings/a.npy", signal)
    write_templates(root)

    assert np.abs(made(root, snr_db=0).truth["templates"]).max() == pytest.approx(1, rel=0.1)


def test_the_noise_is_measured_on_as_many_samples_however_many_recordings(monkeypatch):
    from seqbench.datasets import hybrid as module

    monkeypatch.setattr(module, "NOISE_SAMPLES", 4000)
    generator, read = np.random.default_rng(0), []

    def rows(start, stop):
        read.append(stop - start)
        return generator.normal(scale=3, size=(stop - start, 1)).astype(np.float32)

    noise_sd = module._noise_sd([LazyArray((20_000, 1), rows)] * 40, 20)

    assert sum(read) <= 4000
    assert noise_sd == pytest.approx([3], rel=0.1)


def test_a_lazy_recording_gets_the_same_events_in_pieces(root, noise):
    from seqbench.datasets.hybrid import _with_events

    generator = np.random.default_rng(1)
    templates = generator.normal(size=(2, 2, 20)).astype(np.float32)
    starts = np.sort(generator.integers(0, 19_980, 300))
    kinds, factors = generator.integers(0, 2, 300), generator.uniform(0.5, 2, 300)
    background = noise[0]
    lazy = LazyArray(background.shape, lambda a, b: background[a:b])

    whole = _with_events(background, templates, starts, kinds, factors)
    pieces = _with_events(lazy, templates, starts, kinds, factors)

    assert isinstance(pieces, LazyArray)
    together = np.concatenate([pieces[i : i + 7] for i in range(0, 20_000, 7)])
    np.testing.assert_allclose(together, whole, atol=1e-5)
    assert (background == noise[0]).all()


@pytest.fixture
def labelled(root, noise):
    """Write a recording with twelve events of a type, one of them under another shape."""
    generator = np.random.default_rng(2)
    signal = 0.1 * generator.standard_normal((20_000, 2)) + [50.0, -50.0]
    onsets = 500 + 1000 * np.arange(12)
    for onset in onsets:
        signal[onset : onset + 20, 0] += SHAPE
    signal[onsets[3] : onsets[3] + 20] += 30
    np.save(root / "recordings/labelled.npy", signal)
    rows = [f"labelled,{onset / RATE},dong" for onset in onsets]
    (root / "events.csv").write_text("\n".join(["recording,onset_s,label", *rows]) + "\n")


def test_templates_are_learned_from_labelled_recordings_which_are_left_out(root, labelled):
    found = made(root, templates="labelled", length_ms=60, before_ms=15)

    assert found.names == ["a", "b"]
    assert found.classes == ["dong"]
    template = found.truth["templates"][0]
    assert (template.shape, int(found.truth["template_onset"])) == ((2, 60), 15)
    np.testing.assert_allclose(template[0, 15:35], SHAPE, atol=0.2)
    assert np.abs(template[1]).max() < 0.2
    assert np.abs(template[:, [0, -1]]).max() < 0.01  # no step where it begins and ends
    assert "1 recording with labelled events" in found.source["notes"][-1]


def test_recordings_and_labels_are_read_with_the_options_of_a_folder(root, labelled):
    rows = (root / "events.csv").read_text().splitlines()[1:]
    onsets = [row.split(",")[1] for row in rows]
    (root / "events.csv").unlink()
    (root / "tracks").mkdir()
    track = "".join(f"{onset}\t{onset}\tdong\n" for onset in onsets)
    (root / "tracks/labelled.txt").write_text(track)
    table = np.load(root / "recordings/a.npy")[:5000].round(3)
    (root / "recordings/a.npy").unlink()
    np.savetxt(root / "recordings/a.csv", table, fmt="%.3f", delimiter=",")
    tracks = LabelFiles(format="audacity", path="tracks")

    found = made(root, templates="labelled", labels=tracks, header=False)

    assert found.classes == ["dong"]
    assert [len(signal) for signal in found.signals] == [5000, 20_000]
    with pytest.raises(DataError, match="no label is read with `templates: file`; leave `labels`"):
        made(root, labels=tracks)


def test_a_seed_gives_the_same_events_and_another_one_others(root, noise):
    write_templates(root)
    one, again, other = (made(root, seed=seed).label_start for seed in (0, 0, 1))

    assert one.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"templates": None}, "it holds no array `templates`"),
        ({"onset": None}, "it holds no array `onset`"),
        ({"templates": np.ones((2, 20))}, r"has shape \(2, 20\); it must be types by channels"),
        ({"templates": np.ones((2, 3, 20))}, "has 3 channels, recordings 2"),
        ({"templates": np.full((2, 2, 20), np.nan)}, "holds a value that is not finite"),
        ({"templates": np.stack([np.ones((2, 20)), np.zeros((2, 20))])}, "0 throughout for type 1"),
        ({"onset": 20}, "`onset` must be one whole number from 0 to 19"),
        ({"onset": 2.5}, "`onset` must be one whole number"),
        ({"types": np.array(["a"])}, "`types` must be 2 names"),
        ({"types": np.array(["a", "a"])}, "`types` holds a name twice"),
    ],
)
def test_bad_templates_are_refused_in_one_sentence(root, noise, changes, problem):
    write_templates(root, **changes)

    with pytest.raises(DataError, match=rf"templates\.npz: .*{problem}"):
        made(root)


def test_what_cannot_be_added_is_refused(root, labelled):
    with pytest.raises(DataError, match=r"templates\.npz"):
        made(root)
    write_templates(root)
    with pytest.raises(DataError, match="brings a type back within its `refractory_s`; give less"):
        made(root, rate_hz=1.0)
    with pytest.raises(DataError, match="a type is added to no recording; raise `rate_hz`"):
        made(root, rate_hz=1e-6)
    with pytest.raises(DataError, match="have no sampling rate; set `sampling_rate_hz`"):
        made(root, sampling_rate_hz=None)
    for name in "ab":
        (root / f"recordings/{name}.npy").unlink()
    with pytest.raises(DataError, match="every recording holds labelled events; add recordings"):
        made(root, templates="labelled")


def test_a_type_with_too_few_labels_is_named(root, labelled):
    rows = (root / "events.csv").read_text().splitlines()
    (root / "events.csv").write_text("\n".join(rows[:4]) + "\n")

    with pytest.raises(DataError, match="type 'dong' has 3 labelled events inside recordings"):
        made(root, templates="labelled")
