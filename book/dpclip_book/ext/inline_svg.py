"""A Sphinx directive: an SVG file inside the page, as a numbered figure, so that it takes the page's colours.

:::{drawing} figures/idea.svg
:name: fig-idea

The caption.
:::
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class DrawingDirective(SphinxDirective):
    """The argument is a file that holds one `svg` element with an aria-label, relative to the page."""

    required_arguments = 1
    has_content = True
    option_spec = {"name": str}

    def run(self) -> list[nodes.Node]:
        name, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(name)
        if not Path(path).is_file():
            raise self.error(f"no drawing {name}")
        svg = Path(path).read_text(encoding="utf-8")
        figure = nodes.figure("", nodes.raw("", f'<div class="drawing" tabindex="0">{svg}</div>', format="html"))
        text = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, text)
        caption = nodes.caption("", "", *text[0].children)
        caption.source, caption.line = self.get_source_info()
        figure += caption
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


def setup(app: Sphinx) -> dict[str, object]:
    app.add_directive("drawing", DrawingDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
