"""kill -9, then the same command: the record of an undisturbed run. Real processes."""

import json
import multiprocessing
import signal

import pytest

from tests.dpclip.training.killable import make_record

pytestmark = pytest.mark.programs

MEASURED = ("run", "config", "seed", "metrics", "losses", "scores")


@pytest.fixture(scope="module")
def spawn():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.dpclip.training.killable"])

    def run(*arguments) -> int:
        process = context.Process(target=make_record, args=arguments)
        process.start()
        process.join()
        return process.exitcode

    return run


def record(root):
    (path,) = (root / "records").glob("*.json")
    return {name: value for name, value in json.loads(path.read_text()).items() if name in MEASURED}


@pytest.fixture(scope="module")
def undisturbed(spawn, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    assert spawn(root, "nowhere", 0) == 0
    return record(root)


# The files that get a name: a trial file, the words, another trial file, best, two checkpoints, the record.
@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("decode", 9),
        ("step", 1),
        ("step", 2),
        ("step", 4),
        ("test", 1),
        ("test", 4),
        *[("rename", n) for n in range(2, 8)],
    ],
)
def test_the_same_command_again_gives_the_same_record(spawn, undisturbed, tmp_path, where, count):
    assert spawn(tmp_path, where, count) == -signal.SIGKILL
    assert not list(tmp_path.glob("records/*.json"))
    assert spawn(tmp_path, "nowhere", 0) == 0
    assert record(tmp_path) == undisturbed
