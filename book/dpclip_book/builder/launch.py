"""Launch buttons: they appear when the book has a public home, and only those that lead somewhere.

The home is `repository.url` of _config.yml, or the environment variable DPCLIP_REPOSITORY (`make book REPOSITORY=URL`).
The theme writes the buttons from `launch_buttons`; the page book/launch.md says what happens behind each.
"""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from dpclip.errors import UserError
from dpclip.files import atomic_write_text

VARIABLE = "DPCLIP_REPOSITORY"
PLACEHOLDER = "https://…/dpclip"  # in commands, while there is no home
GITHUB = "github.com"
BUTTONS = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}


def repository(config: dict) -> str:
    """Address of the public home without a slash at its end; empty without one. Raises UserError for a bad one."""
    given = os.environ.get(VARIABLE)
    url = (given or config.get("repository", {}).get("url") or "").rstrip("/").removesuffix(".git")
    parts = urlsplit(url)
    if url and not (parts.scheme == "https" and parts.netloc and re.fullmatch(r"(/[\w.-]+){2,}", parts.path)):
        where = f"REPOSITORY={given!r}" if given else f"_config.yml: repository.url: {url!r}"
        raise UserError(f"{where} is no address of a repository. Write it as https://github.com/OWNER/NAME.")
    return url


def configure(path: Path) -> str:
    """Put the home and its buttons into a staged _config.yml; without a home, no buttons. Returns the home."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    home = repository(config)
    own = {name: value for name, value in (config.get("launch_buttons") or {}).items() if value}
    buttons = BUTTONS | own if home else {}
    if urlsplit(home).netloc != GITHUB:
        buttons.pop("colab_url", None)  # it opens notebooks of GitHub only
    config["repository"] = {**config.get("repository", {}), "url": home}
    config["launch_buttons"] = buttons
    atomic_write_text(path, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    return home


def start_cell(home: str) -> str:
    """The first cell of a hosted notebook that knows nothing of this book, e.g. on Colab: clone, install, go there."""
    name = home.rpartition("/")[2]
    return "\n".join(
        [
            f"!git clone --depth 1 {home}",
            f"%cd {name}/notebooks",
            "!pip install --quiet --constraint ../constraints.txt --editable '..[book]'",
            "!dpclip data build",
        ]
    )


def launch_part(home: str) -> str:
    """What the page says of this copy: whether it has buttons, and the cell that Colab needs."""
    if home:
        state = f"This copy was built for <{home}>, so its chapters have the buttons, behind the rocket at the top."
    else:
        state = (
            "This copy has no public home yet, so its chapters show no buttons: they would lead nowhere. "
            "`make book REPOSITORY=https://github.com/OWNER/NAME` builds pages with them."
        )
    return f"{state}\n\n(start-cell)=\n```text\n{start_cell(home or PLACEHOLDER)}\n```\n"
