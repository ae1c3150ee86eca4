"""The rates on the page about statistics come out of the functions that the gate calls, summed over all tables."""

import re

import numpy as np
import pytest
from documents import ROOT
from scipy.stats import binom

from mlci.judge.stats.decision import decide
from mlci.judge.stats.paired import mcnemar_mid_p, tango_lower
from mlci.judge.stats.power import smallest_drop

PAGE = (ROOT / "docs/explanation/statistics.md").read_text(encoding="utf-8")
ALPHA = BETA = 0.05
TOLERANCE = 0.01


def rows(heading):
    """The cells of the first table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def sizes(cell):
    """`2,000, 5 %` as rows and share."""
    n, q = re.fullmatch(r"([\d,]+), (\d+) %", cell).groups()
    return int(n.replace(",", "")), int(q) / 100


def change_of(cell):
    return 0.0 if cell in {"none", "change 0"} else -int(re.search(r"\d", cell)[0]) / 100


def tables(n, q, change):
    """(gained, lost, probability) of all paired tables that matter."""
    low, high = binom.ppf([1e-10, 1 - 1e-10], n, q).astype(int)
    counts = np.arange(max(0, low - 1), min(n, high + 1) + 1)
    discordant = np.repeat(counts, counts + 1)
    lost = np.concatenate([np.arange(count + 1) for count in counts])
    probability = binom.pmf(discordant, n, q) * binom.pmf(lost, discordant, (q - change) / (2 * q))
    there = probability > 1e-12
    return (discordant - lost)[there], lost[there], 100 * probability[there]


def near(shown, value):
    """Whether a number on the page is the value, rounded as it is shown."""
    return abs(float(shown) - value) <= 0.51 * 10 ** -len(shown.partition(".")[2])


@pytest.mark.parametrize("cells", rows("Why not compare two numbers"), ids=lambda cells: f"{cells[0]}, {cells[1]}")
def test_why_not_compare_two_numbers(cells):
    n, q = sizes(cells[0])
    gained, lost, percent = tables(n, q, change_of(cells[1]))
    assert near(cells[2], percent[lost > gained].sum())
    assert near(cells[3], percent[lost - gained > round(TOLERANCE * n)].sum())
    assert near(cells[4], percent[mcnemar_mid_p(gained, lost) <= ALPHA].sum())


def test_a_threshold_on_twenty_slices():
    gained, lost, percent = tables(500, 0.05, 0.0)
    alone = percent[lost - gained > 5].sum() / 100
    assert "blocks 94 % of" in re.sub(r"\s+", " ", PAGE)
    assert round(100 * (1 - (1 - alone) ** 20)) == 94


@pytest.mark.parametrize("cells", rows("Three outcomes"), ids=lambda cells: cells[0])
@pytest.mark.parametrize(("column", "change"), [(1, 0.0), (2, -0.01), (3, -0.02)])
def test_three_outcomes(cells, column, change):
    n, q = sizes(cells[0])
    gained, lost, percent = tables(n, q, change)
    bounds, ps = tango_lower(gained, lost, n, BETA), mcnemar_mid_p(gained, lost)
    found = {"fail": 0.0, "inconclusive": 0.0, "pass": 0.0}
    for bound, p, weight in zip(bounds.tolist(), ps.tolist(), percent.tolist(), strict=True):
        found[decide(bound, p, TOLERANCE, ALPHA)] += weight
    for shown, value in zip(cells[column].split(" / "), found.values(), strict=True):
        assert abs(float(shown) - value) <= 0.1


def test_what_a_test_set_can_see():
    section = PAGE.split("## What a test set can see\n", 1)[1]
    shown = re.findall(r"([\d,]+) rows (\d\.\d) \[(\d\.\d)\]", section)
    assert len(shown) == 3
    for n, alone, among in shown:
        count = int(n.replace(",", ""))
        assert near(alone, 100 * smallest_drop(count, 0.05, alpha=ALPHA))
        assert near(among, 100 * smallest_drop(count, 0.05, alpha=ALPHA / 20))
