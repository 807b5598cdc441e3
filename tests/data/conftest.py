"""The whole of Sketchy by name, built once: links, no pictures to speak of."""

import shutil

import pytest

from tests.stand_in import make_sketchy


@pytest.fixture(scope="session")
def sketchy(tmp_path_factory):
    """Folder with every photo and sketch of Sketchy in the official layout. Tests leave it as it is."""
    root = make_sketchy(tmp_path_factory.mktemp("sketchy"), size=8)
    yield root
    shutil.rmtree(root)
