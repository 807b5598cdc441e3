"""Tables of a page are sorted in the browser: by click or key, numbers as numbers, rows without a value last."""

import shutil
import subprocess

import pytest
from bs4 import BeautifulSoup

from dpclip.files import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = ROOT / "book" / "_static" / "sort_tables.js"
ROWS = [("b", "9.5 ± 0.1", "[-0.2, +0.1]"), ("8 a", "not run", "–"), ("c", "10.2 ± 3.0", "[+0.3, +0.4]")]
HEAD = "".join(f"<th>{name}</th>" for name in ("row", "mean", "interval"))
BODY = "".join(f"<tr><th>{row}</th><td><p>{mean}</p></td><td>{gap}</td></tr>" for row, mean, gap in ROWS)
PAGE = f"""<table class="book-table"><thead><tr>{HEAD}</tr></thead><tbody>{BODY}</tbody></table>
<script src="{SCRIPT.as_uri()}"></script>
<script>addEventListener("DOMContentLoaded", () => {{
  for (const column of [COLUMNS]) document.querySelectorAll("thead button")[column].click();
}});</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(
    ("clicks", "order", "states"),
    [
        ([], ["b", "8 a", "c"], ["none", "none", "none"]),
        ([1], ["b", "c", "8 a"], ["none", "ascending", "none"]),
        ([1, 1], ["c", "b", "8 a"], ["none", "descending", "none"]),
        ([1, 1, 1], ["b", "8 a", "c"], ["none", "none", "none"]),
        ([1, 2, 2], ["c", "b", "8 a"], ["none", "none", "descending"]),
        ([0], ["8 a", "b", "c"], ["ascending", "none", "none"]),
    ],
)
def test_clicks(tmp_path, clicks, order, states):
    page = tmp_path / "page.html"
    page.write_text(PAGE.replace("COLUMNS", ", ".join(map(str, clicks))))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=60)
    table = BeautifulSoup(done.stdout, "html.parser").table
    assert [row.th.get_text() for row in table.tbody.find_all("tr")] == order
    assert [th["aria-sort"] for th in table.thead.find_all("th")] == states
    assert all(th.button["type"] == "button" and th.button.get_text() for th in table.thead.find_all("th"))
