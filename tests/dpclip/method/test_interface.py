"""A method is named by its class, and what is wrong with the name is said."""

import pytest

from dpclip.config import DPCLIPConfig, RunConfig
from dpclip.errors import UserError
from dpclip.method.interface import find_method
from dpclip.method.model import DPCLIP
from dpclip.method.rivals import PLAIN, RIVALS
from tests.toy import Wordless

ON = {"visual_prompt": "deep", "scaling": "sideway", "patch_matching": True, "trainable": "norms"}


def test_a_method_is_found_by_its_name():
    assert find_method(RunConfig().method) is DPCLIP
    assert find_method("tests.toy:Wordless") is Wordless


@pytest.mark.parametrize("path", ["", "DPCLIP", "dpclip.method.model", "dpclip.method.model:Nobody", "nowhere:DPCLIP"])
def test_a_wrong_name_is_told_with_the_cure(path):
    with pytest.raises(UserError, match=r"method='.*Write module:Class, such as dpclip\.method\.model:DPCLIP"):
        find_method(path)


@pytest.mark.parametrize("path", ["os:system", "os:PathLike", "dpclip.config:preset"])
def test_what_is_no_class_of_modules_is_refused(path):
    with pytest.raises(UserError, match=f"method='{path}' is no class of nn.Module"):
        find_method(path)


def test_a_class_with_another_face_is_told_what_it_lacks(monkeypatch):
    with pytest.raises(
        UserError, match="lacks on_backbone, uses_category, trains, normalise, context, encode, distance"
    ):
        find_method("torch.nn:Linear")
    monkeypatch.delattr(Wordless, "image_size")
    with pytest.raises(UserError, match="'tests.toy:Wordless' lacks image_size"):
        find_method("tests.toy:Wordless")


@pytest.mark.parametrize("code", ["raise RuntimeError('two\\nlines')", "1 / 0", "import sys; sys.exit(3)", "def"])
def test_a_module_that_fails_when_it_is_imported_is_named(code, tmp_path, monkeypatch):
    (tmp_path / f"failing_{abs(hash(code))}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UserError, match=r"method='failing_\d+:Any': there is no such class \(\w+: .*\)\. Write"
    ) as error:
        find_method(f"failing_{abs(hash(code))}:Any")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", RIVALS)
def test_methods_say_without_being_built_whether_they_train(name):
    config = RunConfig().set(**RIVALS[name].changes)
    assert find_method(config.method).trains(config.model) == (name != "CLIP, untrained")


@pytest.mark.parametrize("changes", [PLAIN, *({**PLAIN, **{name: on}} for name, on in ON.items())])
def test_what_trains_is_there_exactly_when_something_trains(make_tiny, changes):
    config = DPCLIPConfig(**changes)
    assert DPCLIP.trains(config) == any(DPCLIP(make_tiny(), config).set_trainable().values())
