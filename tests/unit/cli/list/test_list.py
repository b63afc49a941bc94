"""`seqbench list`: every name, and what is known of each."""

import subprocess
import sys

import pytest

from seqbench.cli.list.kinds import KINDS
from seqbench.cli.main import main
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, OBJECTIVES, TASKS


@pytest.fixture
def shown(capsys):
    """Return a function that gives what the command prints, blanks and line ends alike."""

    def of(*words):
        main(["list", *words])
        return " ".join(capsys.readouterr().out.split())

    return of


def test_without_a_word_every_name_is_shown(shown):
    words = shown().replace(",", " ").split()

    assert all(name in words for kind in KINDS.values() for name in kind.names)


@pytest.mark.parametrize("plural", KINDS)
def test_a_kind_shows_its_names_with_their_meaning(plural, shown):
    text = shown(plural)

    kind = KINDS[plural]
    assert all(f"{name} {kind.brief(name)}" in text for name in kind.names)
    assert all(" ".join(kind.summary(name).split()) in text for name in kind.names)
    assert shown(kind.singular) == text


@pytest.mark.parametrize("registry", [ARCHITECTURES, BASELINES, OBJECTIVES, TASKS, DATASETS])
def test_a_name_shows_all_of_its_options(registry, shown):
    name = max(registry, key=lambda one: len(registry.entry(one).options.model_fields))

    text = shown(name)

    for option, field in registry.entry(name).options.model_fields.items():
        assert f" {option} " in text
        assert " ".join(field.description.split()) in text


@pytest.mark.parametrize("plural", KINDS)
def test_every_name_has_a_sheet(plural):
    kind = KINDS[plural]
    for name in kind.names:
        sheet = kind.sheet(name)
        assert sheet.summary
        assert "in a config" in sheet.facts


def test_an_architecture_shows_what_it_takes_and_how_its_options_are_bounded(shown):
    text = shown("lstm")

    assert "samples series, tokens tasks classification, detection, forecasting" in text
    assert "hidden_size whole number from 1; default 64. " in text
    assert "dropout number from 0 to below 1; default 0.0. " in text
    assert "learning_rate 0.0003 to 0.01 on a logarithmic scale" in text
    datasets = text.partition(" datasets ")[2].partition(" tune ")[0].split(", ")
    assert "names" in datasets  # tokens
    assert "moving_digits" not in datasets  # video


def test_what_starts_as_a_baseline_shows_the_conditions(shown):
    text = shown("event_pursuit")

    assert "as the baseline matched_filter, fitted on train; arm scratch alone" in text
    assert "look_ahead_ms goes with `causal: true` alone" in text
    datasets = text.partition(" datasets ")[2].partition(" tune ")[0].split(", ")
    assert "strikes_continuous" in datasets
    assert "mitdb" not in datasets  # whose windows are normalised one by one


def test_a_baseline_shows_what_it_needs_and_who_offers_it(shown):
    text = shown("xqrs")

    assert "needs 'ecg', offered by mitdb, ludb, by folder where `ecg` is set" in text
    assert "datasets ludb, mitdb, mitdb_qrs in a config" in text


def test_a_dataset_shows_its_entry_and_what_runs_on_it(shown):
    text = shown("mitdb_qrs")

    assert "entry {source: mitdb, types: qrs}" in text
    assert "baselines beat_types, circus_omp, khamis, " in text
    assert "those of the source: `seqbench list mitdb`" in text


def test_a_name_of_two_kinds_is_shown_as_both(shown):
    text = shown("waves")

    assert text.index("waves: dataset") < text.index("waves: source")
    assert text.count("noise number from 0; default 0.15.") == 1


def test_a_metric_is_known_at_each_tolerance(shown):
    text = shown("f1_at_5ms")

    assert "F1 over the events of all types, at a tolerance of 5 ms." in text
    assert "tasks detection better higher is better ranks detection" in text


def test_formulas_are_shown_as_they_are_written(shown):
    text = shown("ece")

    assert "With the windows `B_m` whose highest probability lies in bin m, \\frac{1}{N}" in text
    assert "math" not in text


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("lstmm", "did you mean 'lstm'?"),
        ("arch", "did you mean 'architectures'?"),
        ("tasksk", "did you mean 'tasks'?"),
        ("CNN1D", "did you mean 'cnn1d'?"),
        ("bell", "it is part of tower_bells"),
        ("zzz", "kinds are architectures, baselines, objectives, datasets"),
    ],
)
def test_a_word_that_is_nothing_is_refused_with_what_is_near(word, hint):
    with pytest.raises(SystemExit) as left:
        main(["list", "lstm", word])

    assert str(left.value).startswith(f"error: nothing is called '{word}'; ")
    assert hint in str(left.value)


def test_names_are_shown_without_torch():
    code = (
        "import sys\n"
        "from seqbench.cli.main import main\n"
        "main(['list', 'lstm', 'detection', 'mitdb', 'metrics'])\n"
        "assert not {'torch', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
