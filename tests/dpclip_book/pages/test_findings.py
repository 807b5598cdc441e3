"""Every claim has its place on the page, and what stands there is computed from records."""

import re
import xml.etree.ElementTree as ET

import pytest

from dpclip_book.pages import findings
from dpclip_book.studies.verdicts import FAILS, REPLICATES, UNDECIDED, read_claims
from tests.dpclip_book.studies.test_verdicts import FULL, LISTING, NORMS, PLAIN, records

SWAP = "another's support at the test"


@pytest.fixture
def made_up(monkeypatch):
    """Tables 1 and 4 with made-up runs of DP-CLIP, of two rivals and of a swap, the others without."""
    full = records(0.5)
    for record in (runs := full + records(0.2) + records(0.9)):
        for found in record["metrics"]["fine-grained"].values():
            ranks = [rank for own in found["warped"]["ranks"].values() for rank in own]
            found["warped"]["acc@1"] = sum(rank == 1 for rank in ranks) / len(ranks)
    tables = {"1": {FULL: full, PLAIN: runs[4:8], NORMS: runs[8:]}, "4": {FULL: full, SWAP: full}, "2": {}, "3": {}}
    monkeypatch.setattr(findings, "records", lambda: tables)
    monkeypatch.setattr(findings.benchmark, "recorded", lambda: LISTING)
    findings.verdicts.cache_clear()
    yield tables
    findings.verdicts.cache_clear()


def test_a_card_says_verdict_number_interval_and_power(made_up):
    page = findings.findings_page()
    (first, *_) = [
        card for card in page.split(":::{grid-item-card} ") if card.startswith("The full model beats CLIP as")
    ]
    assert ":class-card: finding finding-replicates" in first and "**replicates**: +3" in first
    assert re.search(r"\*DP-CLIP\* \d\d\.\d %, \*CLIP, untrained\* \d\d\.\d % \(Acc@1, held-out; 4 seeds\)", first)
    assert re.search(r"A gain of \d\.\d points would have been seen", first) and "07_table1_fine_grained" in first
    svg = ET.fromstring(re.search(r"<svg.*</svg>", first)[0])
    assert re.fullmatch(r"\+3\d\.\d \[\d+\.\d, \d+\.\d\] points, 95 % interval", svg.get("aria-label"))
    assert "finding-fails" in page and "`dpclip sweep --preset mini --table 3` makes them" not in page


def test_the_paragraph_counts_and_says_what_the_swap_says(made_up):
    said = findings.headline()
    assert "2 replicate" not in said and "1 replicate, 3 do not" in said
    assert "Whose support it is given at the test makes no difference of a point: +0.0 [0.0, 0.0] points" in said


def test_every_claim_is_on_the_page_of_the_committed_records():
    findings.verdicts.cache_clear()
    claims = {claim.text for claim in read_claims()}
    page, frame = findings.findings_page(), findings.findings_frame()
    cards = re.findall(r":::\{grid-item-card\} (.+)", page)
    folded = re.findall(r"^- (.+)$", page, re.M)
    assert len(cards) + len(folded) == len(frame) and claims <= set(frame["text"])
    assert {claim.table for claim in read_claims()} == set(findings.TABLES)
    judged = frame[frame["verdict"].isin([REPLICATES, FAILS, UNDECIDED])]
    assert len(judged) == len(cards) and (judged["low"] <= judged["difference"]).all()
    assert (judged["better_value"] - judged["worse_value"]).to_numpy() == pytest.approx(judged["difference"], abs=0.01)
