"""Whatever is typed at the command line, a mistake ends with one line that says what is wrong, before time is spent.

Every case once ended otherwise, or is of a kind that did: with a traceback, with half of a name, after training, or
with a result of something else.
"""

import sys

import numpy as np
import pytest
from PIL import Image

from dpclip import cli
from dpclip.training import train as training


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all that the cases name."""
    root = tmp_path_factory.mktemp("place") / "[/x] $a_{b$"
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8))
    for name in ("sketch.png", "photos/one.png", "mixed/one.png", "odd [old]/set/one.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(root / name)
    (root / "empty").mkdir()
    (root / "words.png").write_text("no picture")
    (root / "mixed/two.png").write_bytes(b"")
    (root / "raises.py").write_text("raise RuntimeError('at import')")
    (root / "leaves.py").write_text("import sys\nsys.exit(3)")
    (root / "module.py").write_text("from torch import nn\nclass Bare(nn.Module):\n    pass\n")
    return root


ASK = ("query", "sketch.png", "--category", "guitar", "--preset", "smoke")
MAP = ("heatmap", "sketch.png", "--category", "guitar", "--preset", "smoke")
GALLERY = (*ASK, "--gallery")
WORDLESS = ("--set", "method=tests.toy:Wordless")
CASES = [  # words, what the line says
    (["trian"], "No such command 'trian'"),
    (["train", "--sed", "1"], "No such option"),
    (["train", "--preset", "huge"], "unknown preset 'huge'"),
    (["train", "--seed", "-1"], "'--seed'"),
    (["train", "--seed", "99999999999999999999"], "'--seed'"),
    (["train", "--seed", "one"], "'--seed'"),
    (["train", "--set", "rank"], "write field=value"),
    (["train", "--set", "rnk=3"], "Did you mean 'rank'"),
    (["train", "--set", "rank=[/x]"], "'[/x]' is not of type int"),
    (["train", "--set", "epochs=2.5"], "not of type int"),
    (["train", "--set", "compile=no"], "not of type bool"),
    (["train", "--set", "clip_rate=nan"], "must be a finite number"),
    (["train", "--set", "clip_rate=inf"], "must be a finite number"),
    (["train", "--set", "windows=5"], "square number"),
    (["train", "--set", "preset=paper"], "unknown config field 'preset'"),
    (["train", "--set", "self=1"], "unknown config field 'self'"),
    (["train", "--set", "seed=1"], "unknown config field 'seed'"),
    (["train", "--set", "model=1"], "unknown config field 'model'"),
    (["train", "--set", "data=x"], "unknown config field 'data'"),
    (["train", "--preset", "smoke", "--set", "method=os:system"], "is no class of nn.Module"),
    (["train", "--preset", "smoke", "--set", "method=torch.nn:Linear"], "lacks on_backbone"),
    (["train", "--preset", "smoke", "--set", "method=module:Bare"], "lacks on_backbone"),
    (["train", "--preset", "smoke", "--set", "method=raises:Any"], "RuntimeError: at import"),
    (["train", "--preset", "smoke", "--set", "method=leaves:Any"], "SystemExit: 3"),
    (["train", "--preset", "smoke", "--set", "method=nowhere:Any"], "No module named 'nowhere'"),
    (["train", "--preset", "smoke", "--set", "backbone=huge"], "unknown backbone 'huge'"),
    (["train", "--preset", "smoke", "--set", "weights=nowhere"], "nowhere/manifest.json"),
    (["train", "--preset", "smoke", "--records", "sketch.png"], "sketch.png"),
    (["train", "--preset", "smoke", "--data", "nowhere"], "nowhere is no folder"),
    (["train", "--preset", "smoke", "--data", "sketch.png"], "sketch.png is no folder"),
    (["train", "--preset", "smoke", "--data", "empty"], "no folder of photos"),
    (["train", "--preset", "smoke", "--data", "odd [old]/set"], "odd [old]/set no folder of photos"),
    (["train", "--preset", "smoke", "--data", ".", "--set", "dataset=icon-sbir"], "is embedded"),
    (["train", "--preset", "paper"], "dpclip data where sketchy"),
    (["train", "--preset", "smoke", "--set", "dataset=[/x]"], "dataset '[/x]' is unknown"),
    (["evaluate", "--preset", "smoke", "--set", "val_categories=3"], "one fixed split"),
    (["sweep", "--preset", "smoke", "--table", "nine"], "unknown table 'nine'"),
    (["sweep", "--preset", "smoke", "--seeds", "0"], "'--seeds'"),
    (["sweep", "--preset", "smoke", "--data", ".", "--dry-run"], "is embedded"),
    (["tables", "9"], "there is no table 9"),
    (["tables", "one"], "'number'"),
    (["tables", "1", "--format", "xml"], "'--format'"),
    (["tables", "1", "--measure"], "No such option"),
    (["records", "verify", "mini-[/x]"], "there is no record 'mini-[/x]'"),
    (["data", "where", "nowhere"], "nowhere"),
    (["query"], "Missing argument"),
    (["query", "nowhere [/x].png", "--category", "guitar"], "nowhere [/x].png is missing"),
    (["query", "words.png", "--category", "guitar"], "words.png"),
    (["query", "empty", "--category", "guitar"], "empty"),
    (["query", "new\x1b[1m\udcff.png", "--category", "guitar"], r"new\x1b[1m\udcff.png is missing"),
    ([*ASK[:2], "--category", "dragon [/x]", "--preset", "smoke"], "category 'dragon [/x]' is not in"),
    ([*ASK, "--top", "-3"], "'--top'"),
    ([*ASK, "--top", "0"], "'--top'"),
    ([*ASK, "--output", "empty"], "is a folder"),
    ([*ASK, "--output", "sketch.png/ranking.png"], "cannot write"),
    ([*ASK, "--support", "sketch.png"], "needs a gallery"),
    ([*GALLERY, "nowhere"], "no pictures there"),
    ([*GALLERY, "empty"], "no pictures there"),
    ([*GALLERY, "photos", "--support", "nowhere.png"], "nowhere.png is missing"),
    ([*GALLERY, "mixed", "--strict"], "two.png"),
    (["heatmap", "nowhere.png", "--category", "guitar", "--preset", "smoke"], "nowhere.png is missing"),
    ([*MAP[:2], "--category", "unicorn", "--preset", "smoke"], "category 'unicorn' is not in"),
    ([*MAP, "--set", "visual_prompt=none"], "no visual prompts"),
    ([*MAP, *WORDLESS], "no visual prompts"),
    ([*MAP, "--support", "photos", "--support", "photos"], "one folder for each category"),
    ([*MAP, "--support", "empty"], "no pictures there"),
    ([*MAP, "--output", "empty"], "is a folder"),
]


@pytest.mark.parametrize("words, said", CASES)
def test_it_is_one_line_before_any_training(words, said, place, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.chdir(place)
    monkeypatch.setattr(training, "_run", lambda *_: pytest.fail("it trained"))
    monkeypatch.setattr(sys, "argv", ["dpclip", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    error = capsys.readouterr().err
    *before, last = error.rstrip("\n").split("\n")
    assert end.value.code in (1, 2) and last.startswith("error: ") and said in last
    assert "Traceback" not in error and "mistake of dpclip" not in error
    assert all("is read as data set" in line for line in before)
