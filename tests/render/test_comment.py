"""What a publisher asks of the comment: links, history, short forms, remarks at lines, and limits."""

import base64
import json
import re
from itertools import cycle, islice

import pytest
from hostile_text import PIECES, TEXTS
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from samples import EVIL, SAMPLES, data_failure, failing, hostile, passing
from test_markdown import GITHUB, REFERENCES, Page

from mlci.nouns.comment import Earlier, Links, Spent
from mlci.render.annotations import render_annotations
from mlci.render.history import MOST, earlier_verdicts
from mlci.render.markdown import LIMIT, SUMMARY_LIMIT, marker, render_comment, render_summary
from mlci.render.short import render_crashed, render_unchanged
from mlci.render.text import clean

FORGE = "https://github.com/o/r"
LINKS = Links(
    run=f"{FORGE}/actions/runs/7",
    report=f"{FORGE}/actions/runs/7/artifacts/8",
    files=f"{FORGE}/blob/0b9e8f7a6b5c4d3e2f5f1e0c9a7d3b4e2f8a6c1d",
    commits=f"{FORGE}/commit/",
)
COMMITS = ["1a" * 20, "2b" * 20, "3c" * 20]
HISTORY = (
    Earlier(commit=COMMITS[0], outcome="fail", headline="Blocked: accuracy, origin = JFK: 83.2 → 82.0 %"),
    Earlier(commit=COMMITS[1], outcome="crashed", headline="The run died: there is no verdict"),
    Earlier(commit=COMMITS[2], outcome="pass", headline="Safe: ROC AUC, all rows: 0.717 → 0.716"),
)
SPENT = (
    Spent(what="mlci compare", seconds=41.6),
    Spent(what="training on a large runner", seconds=3_725, cost=0.52),
)


def forged(report, **given):
    return render_comment(report, **{"history": HISTORY, "links": LINKS, "spent": SPENT} | given)


def test_golden(golden):
    golden("comment.md", forged(failing()))
    golden("comment.crashed.md", crashed())
    golden("comment.unchanged.md", render_unchanged("flights", commit="4d" * 20, history=HISTORY, links=LINKS))
    carried = {"carried": HISTORY[2], "commit": "4d" * 20, "links": LINKS}
    golden("comment.carried.md", render_unchanged("flights", **carried))
    golden("summary.md", render_summary(passing(), links=LINKS, spent=SPENT))
    remarks = [item.model_dump() for item in render_annotations(failing().verdict)]
    golden("annotations.json", json.dumps(remarks, indent=2, ensure_ascii=False) + "\n")


def crashed(**given):
    asked = {"commit": "4d" * 20, "why": "stage `train` ended with exit code 1", "history": HISTORY[2:], "links": LINKS}
    return render_crashed("flights", **asked | given)


def test_every_link_leads_where_the_forge_said():
    page = Page(GITHUB.render(forged(failing())))
    links = {value for name, value in page.attributes if name == "href"}
    assert links == {
        LINKS.run,
        LINKS.report,
        *(f"{LINKS.files}/params.yaml#L{line}" for line in (12, 24, 40, 41, 42, 45)),
        *(f"{LINKS.commits}{commit}" for commit in COMMITS),
    }


def test_a_folder_of_a_monorepo_is_part_of_the_address():
    within = LINKS.model_copy(update={"files": f"{FORGE}/blob/main/models/flights"})
    assert f"({FORGE}/blob/main/models/flights/params.yaml#L45)" in forged(failing(), links=within)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://e.vil/) [x](y", "https://e.vil/ x", "//e.vil", "x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValidationError):
        Links(run=address)


@pytest.mark.parametrize("line", ["", "flights", "<!-- mlci:a --><b>", "<!-- mlci:--> -->", "<!-- mlci:a\n -->"])
def test_what_is_no_marker_is_refused(line):
    with pytest.raises(ValueError, match="no marker"):
        forged(failing(), marker=line)


def test_the_publisher_chooses_the_marker():
    line = marker("models/flights")
    assert forged(failing(), marker=line).startswith(f"{line}\n")
    assert crashed(marker=line).startswith(f"{line}\n")


def test_a_comment_remembers_the_verdicts_before_it():
    first = render_comment(passing())
    second = crashed(history=earlier_verdicts(first))
    third = render_comment(failing(), history=earlier_verdicts(second))
    assert [item.outcome for item in earlier_verdicts(third)] == ["fail", "crashed", "pass"]
    assert earlier_verdicts(third)[2].headline == passing().verdict.headline
    assert "<summary>2 earlier verdicts</summary>" in third
    # Running the same commit again adds nothing.
    again = render_comment(failing(), history=earlier_verdicts(third))
    assert earlier_verdicts(again) == earlier_verdicts(third)


def test_the_memory_has_an_end():
    comment = render_comment(passing())
    for place in range(30):
        commit = f"{place:040x}"
        report = failing().model_copy(update={"verdict": failing().verdict.model_copy(update={"commit": commit})})
        comment = render_comment(report, history=earlier_verdicts(comment))
    assert len(earlier_verdicts(comment)) == MOST


@pytest.mark.parametrize(
    "hidden",
    [
        "",
        "<!-- mlci-verdicts:%%% -->",
        "<!-- mlci-verdicts:AAAA -->",
        f"<!-- mlci-verdicts:{base64.b64encode(b'[{}]').decode()} -->",
        f"<!-- mlci-verdicts:{base64.b64encode(b'[1, 2]').decode()} -->",
        f"<!-- mlci-verdicts:{'QUFB' * 20_000} -->",
    ],
)
def test_an_edited_memory_is_none(hidden):
    assert earlier_verdicts(f"{marker('flights')}\n{hidden}\n### Safe") == ()


def test_only_the_place_of_the_memory_is_read():
    remembered = render_comment(passing()).splitlines()[1]
    assert earlier_verdicts(f"{marker('flights')}\n### Safe\n{remembered}") == ()


def test_a_crash_withdraws_the_green():
    said = crashed()
    assert "### ❌ **The run died:** there is no verdict on" in said
    assert "is withdrawn" in said
    assert f"[the run]({LINKS.run})" in said
    assert "withdrawn" not in crashed(history=HISTORY[:1])


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_hostile_text_is_only_text(text):
    history = (Earlier(commit=COMMITS[0], outcome="fail", headline=text),) * 2
    spent = (Spent(what=text, seconds=1.0),)
    pages, plain = (
        [
            Page(GITHUB.render(forged(hostile(said), history=given, spent=spent, links=Links(run=LINKS.run)))),
            Page(GITHUB.render(crashed(why=f"it died of {said}", history=given))),
            Page(GITHUB.render(render_unchanged(said, history=given))),
        ]
        for said, given in (
            (text, history),
            ("plain", tuple(item.model_copy(update={"headline": "x"}) for item in history)),
        )
    )
    for page, expected in zip(pages, plain, strict=True):
        assert page.structure() == expected.structure()
        assert {pair for pair in page.attributes if pair[0] == "href"} == {
            pair for pair in expected.attributes if pair[0] == "href"
        }
        assert len(page.comments) == 2
        assert not REFERENCES.search(page.text)


def test_remarks_stand_at_lines_of_the_policy():
    remarks = render_annotations(failing().verdict, "models/flights")
    assert remarks[0].model_dump() == {
        "path": "models/flights/params.yaml",
        "start_line": 45,
        "level": "failure",
        "title": "blocked: accuracy, origin = JFK (8,604): 83.2 → 82.0 %",
        "message": remarks[0].message,
    }
    assert remarks[0].message.startswith("199 rows got worse, 98 better.")
    assert {item.level for item in remarks} == {"failure", "warning"}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_holds_gets_no_remark(name):
    remarks = render_annotations(SAMPLES[name]().verdict)
    assert any(item.level == "failure" for item in remarks) == SAMPLES[name]().verdict.blocked
    assert not any(re.match("safe|held|too small", item.title) for item in remarks)


def test_a_remark_leaves_neither_the_project_nor_its_line():
    for remark in render_annotations(hostile().verdict, "models"):
        assert remark.path == "models/params.yaml"
        assert clean(remark.title) == remark.title
        assert clean(remark.message) == remark.message
        assert len(remark.title) <= 255


def test_further_remarks_are_counted():
    finding = failing().verdict.findings
    verdict = failing().verdict.model_copy(update={"findings": finding * 100})
    remarks = render_annotations(verdict, most=50)
    assert len(remarks) == 50
    assert re.fullmatch(r"[\d,]+ more findings are in the report", remarks[-1].title)


LONG = st.sampled_from([*PIECES, EVIL]).flatmap(lambda piece: st.integers(1, 4_000).map(lambda times: piece * times))


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(LONG, LONG, st.sampled_from([failing, data_failure, hostile]))
def test_ten_thousand_findings_fit_into_a_comment(title, words, sample):
    """Whatever they are called: the limit holds, nothing is torn, and what is cut is counted."""
    report = sample()
    found = [finding.model_copy(update={"title": title, "message": words}) for finding in report.verdict.findings]
    verdict = report.verdict.model_copy(update={"findings": tuple(islice(cycle(found), 10_000)), "headline": words})
    history = tuple(item.model_copy(update={"headline": words}) for item in HISTORY) * 4
    report = report.model_copy(update={"verdict": verdict})
    comment = forged(report, history=history, spent=(Spent(what=title, seconds=1.0),) * 60)
    assert len(comment.encode()) < LIMIT < 65_536
    page = Page(GITHUB.render(comment))
    assert page.tags.count("details") == page.tags.count("/details") > 3
    assert not {"img", "script", "input"} & set(page.tags)
    left = [int(number.replace(",", "")) for number in re.findall(r"_([\d,]+) more left out", comment)]
    left += [int(number.replace(",", "")) for number in re.findall(r"all checks \(([\d,]+)\)", comment)]
    shown = comment.partition("<summary>All checks")[2].partition("</details>")[0].count("\n| ") - 1
    assert 10_000 in {max(shown, 0) + number for number in left}


def test_ten_thousand_findings_fit_into_a_summary():
    verdict = failing().verdict.model_copy(
        update={"findings": tuple(islice(cycle(failing().verdict.findings), 10_000))}
    )
    summary = render_summary(failing().model_copy(update={"verdict": verdict}), links=LINKS)
    assert 900_000 < len(summary.encode()) < SUMMARY_LIMIT < 2**20
    assert re.search(r"_[\d,]+ more left out, because there is room for so much\._", summary)


def test_steps_that_do_not_fit_are_counted():
    spent = (Spent(what="a step", seconds=2.0, cost=0.01),) * 100
    comment = forged(passing(), spent=spent)
    assert "Time and cost: 3 min 20 s, 1.00 US dollars" in comment
    assert "60 further parts" in comment
