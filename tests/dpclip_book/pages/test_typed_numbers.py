"""No result is typed into a page: what the check finds, what it lets pass, and all pages."""

import pytest

from tests.typed_numbers import find_all, find_typed


@pytest.mark.parametrize(
    "text, number",
    [
        ("It finds 34.6 % of the photos.", "34.6 %"),
        ("About 35 per cent are found.", "35 per cent"),
        ("That is 7 points more.", "7 points"),
        ("The text gains +1.4 points.", "+1.4 points"),
        ("Its Acc@1 is 34.", "Acc@1 is 34"),
        ("mAP@all reached 19 there.", "mAP@all reached 19"),
        ("The share is .83 here.", ".83"),
        ("from 0.06 to 0.08", "0.06"),
        ("It is 28 ± 2.", "± 2"),
        ("| DP-CLIP | 0.231 |", "0.231"),
        (":::{admonition} Note\nIt has 12.5 per cent.\n:::", "12.5 per cent"),
        ("In `make book` it is 41 %.", "41 %"),
        ("A fact [code]{.mark .mark-code}. And 41 % are found.", "41 %"),
        ("- with p .5 [code]{.mark .mark-code}\n- and 41 % are found", "41 %"),
    ],
)
def test_a_typed_result_is_found(text, number):
    (found,) = find_typed(text)
    assert found.number == number


@pytest.mark.parametrize(
    "text",
    [
        "On the validation categories it is {glue:text}`acc:.1f` per cent.",
        "Rotation within 30 degrees with p .5 [code]{.mark .mark-code}, white outside.",
        "Python 3.11 or later, torch 2.15.0, CC BY-SA 4.0, version 1.0.4.",
        "Gao et al. (2024), arXiv 2404.18695.",
        "See Fig. 3, Section 4.2, Table 1 and Eq. 2.",
        "The preset has `margin=0.15`, and $r = 0.5$, and\n\n$$ w = 0.25 $$\n\nfor all.",
        "Twelve layers, 7x7 patches, ViT-B/32, 12,000 photos, page 3.",
        "```\ndpclip train --set margin=0.2   # 35 %\n```",
        "```{exercise}\n:label: a\n\nIs 0.2 special? 35 % of what?\n```",
        "Text.\n\n## Exercises\n\n1. Is 35 % much?",
        "with the 95 % bootstrap interval, and a 95 % interval over seeds",
        "[a page](https://example.org/1.5/35%20)",
    ],
)
def test_what_is_no_result_passes(text):
    assert find_typed(text) == []


def test_no_page_has_a_typed_result():
    assert [str(typed) for typed in find_all()] == []
