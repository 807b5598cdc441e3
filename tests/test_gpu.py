"""`python -m benchmarks.gpu` on the processor: each check finds its figures; one that fails or hangs loses nothing."""

import json
import subprocess
import sys
import time

import pytest

from benchmarks import gpu, gpu_checks, pipeline

pytestmark = pytest.mark.programs

GOOD = "import json, sys; open(sys.argv[1], 'w').write(json.dumps({'a': 1}))"
ENDS = {
    "machine": GOOD,
    "agree": f"{GOOD}; raise ValueError('wrong sum')",
    "resume": f"{GOOD}; import subprocess, time; subprocess.Popen(['sleep', '61.7']); time.sleep(60)",
    "step": "pass",
}


def test_each_check_is_told_of_and_the_next_one_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "LIMITS", dict.fromkeys(ENDS, 4))
    monkeypatch.setattr(gpu, "command", lambda check, path, *_: [sys.executable, "-c", ENDS[check], str(path)])
    begun = time.time()
    assert gpu.main([str(tmp_path)]) == 1 and time.time() - begun < 20
    record = json.loads((tmp_path / "gpu.json").read_text())
    checks = record["checks"]
    assert record["machine"] == checks["agree"]["figures"] == checks["resume"]["figures"] == {"a": 1}
    assert {name: found["ok"] for name, found in checks.items()} == dict.fromkeys(ENDS, False) | {
        "machine": True, "step": True,
    }  # fmt: skip
    assert checks["agree"]["error"].startswith("status 1") and "wrong sum" in checks["agree"]["error"]
    assert checks["resume"]["error"] == "stopped at its limit of 4 s" and checks["step"]["figures"] == {}
    assert not subprocess.run(["pgrep", "-f", "^sleep 61.7$"], capture_output=True).stdout  # nothing of it is left


def test_all_of_it_ends_within_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "WHOLE", 0)
    limits = []
    monkeypatch.setattr(gpu, "run_check", lambda _, __, limit, ___: limits.append(limit) or {"ok": True, "figures": {}})
    assert gpu.main([str(tmp_path)]) == 0 and limits == [1] * len(gpu.LIMITS)
    assert sum(gpu.LIMITS.values()) - gpu.LIMITS["machine"] < 300


FIGURES = {
    "machine": {"device", "torch", "cuda", "driver", "python", "packages", "commit", "not_imported"},
    "agree": {"loss", "fp32", "tf32", "bf16", "wrong"},
    "resume": {"steps", "went_on_after", "final_loss_off", "most_loss_off", "bitwise"},
    "step": {"bf16_peak", "flops", "fp32", "tf32", "bf16", "plain_images_s", "training_fp32", "training_bf16"},
    "pipeline": {"row_0", "row_1"},
}


@pytest.mark.parametrize("check", FIGURES)
def test_a_check_finds_its_figures(check, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.clock.FEWEST", 1)
    monkeypatch.setattr("benchmarks.clock.ENOUGH", gpu_checks.TINY.enough)
    monkeypatch.setattr("dpclip.training.processes.device", lambda: "cpu")
    for name in ("PHOTOS", "BATCH", "BATCHES", "REPEATS"):
        monkeypatch.setattr(pipeline, name, getattr(pipeline, name))  # the check changes them
    gpu_checks.CHECKS[check](gpu_checks.TINY, gpu_checks.teller(tmp_path / "figures.json"))
    found = json.loads((tmp_path / "figures.json").read_text())
    assert FIGURES[check] <= found.keys()
    if check == "machine":
        assert found["not_imported"] == {}
    if check == "agree":
        assert found["wrong"] == [] and found["fp32"] == {"loss_off": 0, "gradient_off": 0}
    if check == "resume":
        assert (found["steps"], found["went_on_after"], found["bitwise"]) == (4, 2, True)
    if check == "step":
        assert all(found[name]["images_s"] > 0 for name in ("fp32", "tf32", "bf16", "training_bf16"))
        assert found["plain_images_s"] > 0 and 0 < found["tower_flops"] <= found["flops"]
