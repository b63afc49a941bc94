"""What trainings took, and the energy that this is taken for, by hand."""

from pathlib import Path

import pytest

from fixtures.pages import Page
from seqbench.config.energy import EnergySettings
from seqbench.reporting.read.results import collect, summary
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.effort import Effort, effort
from seqbench.reporting.text.energy import LEFT_OUT, energy_sentences

H = 3600
COST = {"train_s": 2 * H, "train_cpu_s": 3 * H, "pretrain_s": 1 * H, "pretrain_cpu_s": 5 * H}
PRETRAINING = {"objective": "contrastive", "dataset": "waves"}


@pytest.fixture
def results(write_results, config):
    """Return the results of runs of which all took 2 hours, 3 of processor time, by a device."""

    def make(
        device="cpu",
        gpus=None,
        energy=None,
        arms=("scratch",),
        labels=(1.0,),
        without=(),
        **settings,
    ):
        def edit(run, content):
            content["provenance"] |= {"device": device, "gpus": gpus}
            is_pretrained = run.arm.startswith("contrastive")
            names = list(COST)[: 4 if is_pretrained else 2]
            known = [name for name in names if name not in without]
            content["cost"] = {name: float(COST[name]) for name in known}
            content["pretraining"] = PRETRAINING if is_pretrained else None

        raw = config((), arms=list(arms), labels=list(labels), seeds=[0]) | settings
        if energy:
            raw["energy"] = energy
        return collect(write_results(raw, skill=lambda run: 0.7, edit=edit), Path())

    return make


def test_processor_time_at_the_watts_of_a_core_is_the_energy_of_a_run(results):
    [own] = results()
    [other] = results(energy={"core_w": 5.0})

    assert own.cost("energy_wh") == pytest.approx(3 * 12)
    assert other.cost("energy_wh") == pytest.approx(3 * 5)
    assert own.cost("train_gpu_s") is None


def test_wall_time_of_each_gpu_counts_and_has_an_energy_once_its_watts_are_known(results):
    [unknown] = results("cuda", gpus=2)
    [known] = results("cuda", gpus=2, energy={"gpu_w": 300})

    assert unknown.cost("train_gpu_s") == known.cost("train_gpu_s") == 2 * 2 * H
    assert unknown.cost("energy_wh") is None
    assert known.cost("energy_wh") == pytest.approx(3 * 12 + 2 * 2 * 300)


def test_a_run_has_the_energy_of_its_pretraining_too(results):
    [run] = results("cuda", energy={"gpu_w": 300}, arms=["contrastive_finetune"])
    [divided] = results(
        "cuda", energy={"gpu_w": 300}, arms=["contrastive_finetune"], pretrain={"gpus": 4}
    )

    assert run.cost("energy_wh") == pytest.approx((3 + 5) * 12 + (2 + 1) * 300)
    assert divided.cost("pretrain_gpu_s") == 4 * H
    assert divided.cost("energy_wh") == pytest.approx((3 + 5) * 12 + (2 + 4) * 300)


@pytest.mark.parametrize(
    ("device", "without", "n_unknown"),
    [
        (None, (), 2),
        ("cpu", tuple(COST), 2),
        ("cpu", ("pretrain_cpu_s",), 1),
        ("cuda", ("train_s",), 1),
        ("cuda", ("pretrain_s",), 1),
    ],
)
def test_without_a_time_or_the_device_no_energy_is_made_up(results, device, without, n_unknown):
    found = results(device, without=without, energy={"gpu_w": 300}, arms=["contrastive_finetune"])
    spent = effort(found)

    assert found[0].cost("energy_wh") is None
    assert spent.n_unknown == n_unknown
    sentences = energy_sentences(spent, EnergySettings(gpu_w=300))
    if spent.cpu_s is None:
        assert sentences == []
    else:
        assert f"Time or device of {n_unknown} training" in sentences[-1]


def test_derived_costs_stand_in_the_summary_beside_those_that_were_measured(results):
    table = summary(results("cuda", energy={"gpu_w": 100}))
    costs = table[table["split"] == "cost"].set_index("metric")["value"]

    assert costs["train_cpu_s"] == 3 * H
    assert costs["train_gpu_s"] == 2 * H
    assert costs["energy_wh"] == pytest.approx(3 * 12 + 2 * 100)


def test_a_pretraining_that_arms_share_counts_once(results):
    found = effort(results("cuda", arms=["contrastive_finetune", "contrastive_probe"]))

    assert found == Effort(cpu_s=(3 + 3 + 5) * H, gpu_s=(2 + 2 + 1) * H, search_cpu_s=0)


def test_the_sentence_has_what_was_measured_and_the_watts_of_the_estimate():
    spent = Effort(cpu_s=40 * H, gpu_s=0.0, search_cpu_s=10 * H)

    assert energy_sentences(spent, EnergySettings(core_w=10, carbon_g_per_kwh=250)) == [
        "Training and pretraining, with the trials of searches, took 50 h 00 min of processor"
        " time, as measured: an estimated 500 Wh at 10 W a core, or 125 g of CO2 equivalent at"
        " 250 g a kWh (energy.core_w in the config).",
        LEFT_OUT,
    ]


def test_without_the_watts_of_a_gpu_no_energy_is_made_up():
    spent = Effort(cpu_s=1 * H, gpu_s=2 * H, search_cpu_s=0.0)
    [sentence] = energy_sentences(spent, EnergySettings(carbon_g_per_kwh=250))
    known = energy_sentences(spent, EnergySettings(gpu_w=400))

    assert "1 h 00 min of processor time and 2 h 00 min of GPU time, as measured." in sentence
    assert "not estimated, as energy.gpu_w, the watts of a GPU, is not set" in sentence
    assert "an estimated 812 Wh at 12 W a core and 400 W a GPU (energy.core_w and" in known[0]


def test_trials_on_a_gpu_are_named_as_left_out():
    spent = Effort(cpu_s=1 * H, gpu_s=2 * H, search_cpu_s=1.0)

    assert "Trials do not record" in energy_sentences(spent, EnergySettings(gpu_w=400))[-1]


def test_results_without_a_measured_time_have_no_sentence():
    spent = Effort(cpu_s=None, gpu_s=0.0, search_cpu_s=0.0)

    assert energy_sentences(spent, EnergySettings()) == []


def test_the_page_has_a_column_of_gpu_time_only_where_there_is_some(results, page_without_figures):
    name = "Cost on waves"

    results()
    assert "GPU time" not in Page(page_without_figures()).tables[name][0]
    results("cuda", energy={"gpu_w": 300})
    [header, row] = Page(page_without_figures()).tables[name]
    assert row[header.index("GPU time")] == "2 h 00 min"
    assert row[header.index("energy, estimated")] == "636 Wh"


@pytest.mark.parametrize(
    ("value_wh", "shown"),
    [(None, formats.NOTHING), (0.00042, "0.42 mWh"), (0.9996, "1 Wh"), (12.345, "12.3 Wh"),
     (999.6, "1 kWh"), (2500, "2.5 kWh")],
)  # fmt: skip
def test_energy_is_written_in_the_unit_that_fits(value_wh, shown):
    assert formats.energy(value_wh) == shown
