"""The last lines of a run."""

from pathlib import Path

from seqbench import layout
from seqbench.reporting.text.closing import closing_lines


def test_a_run_ends_with_the_model_that_val_selects_and_the_command_that_uses_it(
    write_results, config
):
    grid = {"datasets": ["waves", "gun_point"], "architectures": ["cnn1d", "gru"]}
    plan = write_results(
        config(**grid),
        skill=lambda run: {"cnn1d": 0.6, "gru": 0.9, "majority": 0.5}[run.architecture],
    )

    waves, gun_point, page, use = closing_lines(plan, Path())

    assert waves.startswith("waves: gru · scratch 0.")
    assert gun_point.startswith("gun_point: gru · scratch 0.")
    assert " on test, accuracy; best baseline: majority 0." in waves
    assert page == f"page: {layout.REPORT}"
    assert use == "use:  seqbench predict --model results/best/waves --recording FILE"


def test_a_dataset_without_baselines_ends_in_its_model_alone(write_results, config):
    plan = write_results(config((), seeds=[0]), skill=lambda run: 0.8)

    assert "baseline" not in closing_lines(plan, Path())[0]


def test_a_run_elsewhere_begins_with_its_folder(write_results, config, monkeypatch):
    plan = write_results(config((), seeds=[0]), skill=lambda run: 0.8)
    root = Path.cwd()
    monkeypatch.chdir("/")

    assert closing_lines(plan, root)[0] == f"in {root}:"
