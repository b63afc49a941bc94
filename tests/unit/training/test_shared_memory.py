"""Training needs no shared memory: batches are gathered in the process that trains."""

import os
import subprocess
import sys
from pathlib import Path

TRAIN = """
import sys
from pathlib import Path
import pytest
from seqbench.config.benchmark import Benchmark
from seqbench.plan.job_settings import JobSettings
from seqbench.steps import finetune, ingest, window

with pytest.raises(OSError):
    Path("/dev/shm/anything").write_text("no room")
run = {"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]}
tiny = {"source": "waves", "n_windows": 30, "window_samples": 20}
config = {"runs": [run], "datasets": {"tiny": tiny}, "finetune": {"epochs": 1}}
jobs = JobSettings(Benchmark.load(config))
ingest.main(["--settings", jobs.ingest("tiny").to_json(), "--recordings", "recordings.h5"])
window.main(
    ["--settings", jobs.window("tiny").to_json(), "--recordings", "recordings.h5"]
    + ["--windows", "windows.h5"]
)
finetune.main(
    ["--settings", jobs.finetune("tiny", "cnn1d", "scratch", 1.0).to_json()]
    + ["--dataset", "tiny", "--architecture", "cnn1d", "--arm", "scratch"]
    + ["--labels", "1", "--seed", "0", "--windows", "windows.h5", "--device", "cpu"]
    + ["--model", "model", "--history", "history", "--transfer", "transfer"]
)
"""


def test_a_run_is_trained_where_there_is_no_room_in_shared_memory(mounted, tmp_path):
    command = [*mounted("ro", Path("/dev/shm")), sys.executable, "-c", TRAIN]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")}

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "model").exists()
