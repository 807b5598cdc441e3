"""The browser that the other tests of this folder use runs scripts from files."""


def test_a_script_runs_from_a_file(page, tmp_path):
    (tmp_path / "x.html").write_text("<p>before</p><script>document.querySelector('p').textContent = 'after'</script>")
    page.goto((tmp_path / "x.html").as_uri())
    assert page.inner_text("p") == "after"
