"""The page on the ML Test Score: the paper's bands, and this repository's own score, claimed no higher than it is.

`MLCI_UPDATE_DOCS=1 pytest tests/docs/test_score_page.py` writes today's score into the page.
"""

import os
import re

import pytest
from documents import ROOT

from mlci.flows.ml_test_score import ml_test_score
from mlci.nouns.rubric import BANDS

PAGE = ROOT / "docs/explanation/ml-test-score.md"
PART = re.compile(r"(<!-- score -->\n)(.*?)(<!-- end of score -->)", re.DOTALL)

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="evidence is looked for in a Git repository")


def table(found):
    sums = ", ".join(f"{section.section} {section.score:g}" for section in found.sections)
    lines = [f"**Score: {found.score:g}**, the lowest of {sums}. {found.meaning}", ""]
    lines += ["| test | score | |", "|---|---|---|"]
    lines += [f"| {test.test} | {test.score:g} | {test.title} |" for part in found.sections for test in part.tests]
    return "\n".join(lines) + "\n"


def test_the_page_claims_no_more_than_the_repository_shows():
    found = ml_test_score(ROOT)
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("MLCI_UPDATE_DOCS"):
        PAGE.write_text(PART.sub(lambda part: part[1] + table(found) + part[3], text), encoding="utf-8")
        return
    claimed = dict(re.findall(r"^\| (\w+ \d) \| (0|0\.5|1) \|", PART.search(text)[2], re.MULTILINE))
    real = {test.test: test.score for part in found.sections for test in part.tests}
    assert set(claimed) == set(real)
    assert {name: score for name, score in claimed.items() if float(score) > real[name]} == {}
    sums = {part.section: sum(float(claimed[test.test]) for test in part.tests) for part in found.sections}
    said = re.search(r"\*\*Score: ([\d.]+)\*\*", text)[1]
    assert float(said) == min(sums.values())
    for section, total in sums.items():
        assert f"{section} {total:g}" in text


def test_the_page_has_the_bands():
    text = PAGE.read_text(encoding="utf-8")
    for most, meaning in BANDS[:-1]:
        assert f"| {'' if most == 0 else 'up to '}{most:g} | {meaning} |" in text
    assert f"| more than {BANDS[-2][0]:g} | {BANDS[-1][1]} |" in text
