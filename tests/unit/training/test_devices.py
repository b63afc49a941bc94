import pytest
import torch

from seqbench.errors import UserError
from seqbench.training import devices, reproducibility
from seqbench.training.devices import claim_device, claim_gpus, jobs_per_gpu, visible_names
from seqbench.training.reproducibility import prepare


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """Locks of this test only, let go at its end."""
    held = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(devices, "_held", held)
    yield held
    for place in held:
        place.lock.release()


@pytest.fixture
def claim(places):
    """Return a function that claims a place for a job, held until the end of the test."""

    def claimed(names, n_jobs):
        places.extend(claim_gpus(names, n_jobs))
        return places[-1].position

    return claimed


@pytest.fixture
def next_process(places, monkeypatch):
    """Return a function after which claims are those of another process."""

    def begin():
        before = places.copy()
        places.clear()
        others.extend(before)

    others = []
    yield begin
    for place in others:
        place.lock.release()


@pytest.fixture
def gpus(monkeypatch):
    """Return a function that makes torch see a number of GPUs."""

    def see(n):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: n > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: n)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv(devices.SHARING, raising=False)
    return see


def test_jobs_take_the_gpus_one_by_one(claim):
    assert [claim(["a", "b", "c"], 1) for _ in range(3)] == [0, 1, 2]


def test_gpus_are_shared_only_when_none_is_free(claim):
    assert [claim(["a", "b"], 2) for _ in range(4)] == [0, 1, 0, 1]


def test_a_job_waits_until_a_gpu_is_free(claim, places, monkeypatch):
    claim(["a"], 1)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        places[0].lock.release()

    monkeypatch.setattr(devices.time, "sleep", wait)

    assert claim(["a"], 1) == 0
    assert len(waits) == 1


def test_jobs_of_a_cluster_do_not_wait_for_gpus_of_the_same_name(claim, monkeypatch):
    found = []
    for job in ("17", "18"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        found.append(claim(["0", "1"], 1))

    assert found == [0, 0]


def test_the_same_gpu_has_one_name_for_jobs_that_see_different_ones(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 1")
    assert visible_names(2) == ["3", "1"]

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_names(2) == ["0", "1"]


def test_of_several_gpus_each_job_has_its_own(gpus, next_process):
    gpus(2)

    first = claim_device("auto")
    next_process()
    assert [str(first), str(claim_device("cuda"))] == ["cuda:0", "cuda:1"]


def test_a_process_keeps_its_gpu(gpus, places):
    gpus(2)

    assert [str(claim_device("cuda")) for _ in range(3)] == ["cuda:0"] * 3
    assert len(places) == 1


@pytest.mark.parametrize(("n", "name", "device"), [(0, "auto", "cpu"), (1, "auto", "cuda")])
def test_what_a_job_sees_alone_is_its_own(gpus, places, n, name, device):
    gpus(n)

    assert str(claim_device(name)) == device
    assert not places


def test_a_device_that_is_named_is_taken(gpus, places):
    gpus(4)

    assert str(claim_device("cuda:2")) == "cuda:2"
    assert not places


@pytest.mark.parametrize("number", ["0", "two", "-1", "1.5"])
def test_a_wrong_number_of_jobs_per_gpu_is_refused(monkeypatch, number):
    monkeypatch.setenv(devices.SHARING, number)

    with pytest.raises(UserError, match=r"how many jobs share a GPU, 1 or more"):
        jobs_per_gpu()


@pytest.mark.parametrize(("number", "n"), [("3", 3), ("", 1)])
def test_an_empty_number_of_jobs_per_gpu_is_one(monkeypatch, number, n):
    monkeypatch.setenv(devices.SHARING, number)

    assert jobs_per_gpu() == n


@pytest.fixture
def cuda_settings(monkeypatch):
    """The settings of torch for GPUs, put back at the end."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda *_, **__: None)
    yield matmul, cudnn
    matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before


@pytest.mark.parametrize("tf32", [False, True])
def test_products_on_a_gpu_are_rounded_only_on_request(cuda_settings, tf32):
    prepare(1, torch.device("cuda"), precision="tf32" if tf32 else "float32")

    assert [settings.allow_tf32 for settings in cuda_settings] == [tf32, tf32]


@pytest.mark.parametrize("precision", ["auto", "float32", "tf32", "bfloat16"])
def test_a_precision_in_which_the_processor_is_wrong_is_refused(precision, monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(reproducibility, "convolves_in_bfloat16", lambda: True)
    prepare(None, cpu, precision=precision)

    monkeypatch.setattr(reproducibility, "convolves_in_bfloat16", lambda: False)
    if precision != "bfloat16":
        prepare(None, cpu, precision=precision)
        return
    with pytest.raises(UserError, match=r"wrongly in it .*; write precision auto or float32"):
        prepare(None, cpu, precision=precision)


def test_a_convolution_that_loses_ones_is_found(monkeypatch):
    right = torch.full((1, 8, 9), 64.0)
    monkeypatch.setattr(reproducibility.F, "conv1d", lambda *_: right)
    assert reproducibility.convolves_in_bfloat16()

    right[0, 3] = 16
    assert not reproducibility.convolves_in_bfloat16()
