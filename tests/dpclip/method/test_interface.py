"""A method is named by its class, and what is wrong with the name is said."""

import pytest

from dpclip.config import DPCLIPConfig, RunConfig
from dpclip.errors import UserError
from dpclip.method.convnet import ConvNet
from dpclip.method.interface import find_method
from dpclip.method.model import DPCLIP
from dpclip.method.rivals import PLAIN, RIVALS

ON = {"visual_prompt": "deep", "scaling": "sideway", "patch_matching": True, "trainable": "norms"}


def test_a_method_is_found_by_its_name():
    assert find_method(RunConfig().method) is DPCLIP
    assert find_method("dpclip.method.convnet:ConvNet") is ConvNet


@pytest.mark.parametrize("path", ["", "DPCLIP", "dpclip.method.model", "dpclip.method.model:Nobody", "nowhere:DPCLIP"])
def test_a_wrong_name_is_told_with_the_cure(path):
    with pytest.raises(UserError, match=r"method='.*Write module:Class, such as dpclip\.method\.model:DPCLIP"):
        find_method(path)


@pytest.mark.parametrize("name", RIVALS)
def test_methods_say_without_being_built_whether_they_train(name):
    config = RunConfig().set(**RIVALS[name].changes)
    assert find_method(config.method).trains(config.model) == (name not in ("CLIP, untrained", "ConvNet, frozen"))


@pytest.mark.parametrize("changes", [PLAIN, *({**PLAIN, **{name: on}} for name, on in ON.items())])
def test_what_trains_is_there_exactly_when_something_trains(make_tiny, changes):
    config = DPCLIPConfig(**changes)
    assert DPCLIP.trains(config) == any(DPCLIP(make_tiny(), config).set_trainable().values())
