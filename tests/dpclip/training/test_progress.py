"""How far a training is: a line an epoch where there is no terminal, and in a file for who runs us."""

from dpclip.training.progress import VARIABLE, TrainingProgress


def show(shown=True):
    progress = TrainingProgress("training, seed 3", 2, 5, 0, shown)
    with progress.bar:
        for epoch in range(2):
            for _ in range(5):
                progress.step()
            progress.epoch(epoch, 0.1234)


def test_a_line_an_epoch(capsys):
    show()
    first, last = capsys.readouterr().err.splitlines()
    assert first == "training, seed 3: epoch 1 of 2, loss 0.123, 0 s, about 0 s left"
    assert last == "training, seed 3: epoch 2 of 2, loss 0.123, 0 s"


def test_the_newest_line_in_a_file_and_nowhere_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "line"))
    show()
    assert (tmp_path / "line").read_text() == "training, seed 3: epoch 2 of 2, loss 0.123, 0 s\n"
    assert capsys.readouterr() == ("", "")


def test_one_of_several_processes_speaks(capsys):
    show(shown=False)
    assert capsys.readouterr().err == ""
