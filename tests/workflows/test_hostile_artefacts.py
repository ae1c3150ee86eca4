"""What somebody may put into the artefact of their run: the half that may write must come to no harm by it."""

import json
import os
import re
import zipfile

import pytest
from markdown_it import MarkdownIt
from pulls import comments, conclusions, edited, opened, report_of

pytestmark = [pytest.mark.slow]

KEPT = "only for this machine"
WORDS = (
    "</summary></details>\n\n<script>alert(1)</script> @octocat #1 [x](javascript:alert(1)) "
    "![x](https://evil.example/x) "
    "`$(touch harm)`; touch harm\n::set-output name=stolen::yes\n::error::stolen"
)
WRITES = re.compile(r"/repos/acme/flights/(issues/\d+/comments|issues/comments/\d+|check-runs(/\d+)?)")


@pytest.fixture
def measured(loop):
    """A pull request of a fork, and the run that measured it."""
    pull = opened(loop, "more-steps", fork=True)
    return pull, loop.measure(pull)


def leave(loop, run, entries, links=()):
    """Put other files into the artefact of a run; what is in `links` is a symbolic link there."""
    with zipfile.ZipFile(loop.runner.artifacts / str(run.id) / "mlci-report.zip", "w") as archive:
        for name, content in {"index.json": '{"root": "."}', **entries}.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o120777 if name in links else 0o100644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def published(loop, pull, run):
    """Publish a run; gives the comment, after looking that nothing else came of it."""
    reported = loop.report(pull, run)
    assert reported.outcome == "success", reported.story
    assert all(WRITES.fullmatch(path) for _, path in loop.github.writes), loop.github.writes
    assert set(loop.refs()) <= {"refs/mlci/ledger"}
    assert "stolen" not in reported.outputs
    assert not any("stolen" in text for _, text, _ in reported.said)
    # By a walk that doesn't mind if a folder is cleaned away under it.
    assert not [folder for folder, _, files in os.walk(loop.runner.folder) if "harm" in files]
    assert KEPT not in reported.story + reported.summary
    (comment,) = comments(loop, pull)
    assert KEPT not in comment
    assert len(comment) <= 65_536
    return comment


def harmless(comment):
    """Look at a comment as a browser would."""
    page = MarkdownIt("gfm-like", {"html": True}).render(comment)
    assert not re.search(r"<\s*(script|img|iframe|svg|style)", page, re.IGNORECASE)
    assert not re.search(r"(href|src)=\"(?!https?://(github\.com|127\.0\.0\.1)|#)", page)
    assert "evil.example" not in "".join(re.findall(r"<[^>]*>", page))
    assert not re.search(r"(^|[^\w`])@octocat", re.sub(r"<code[^>]*>.*?</code>", "", page, flags=re.DOTALL))
    assert page.count("<details") == page.count("</details>")


def test_a_report_that_is_none_is_a_run_without_a_verdict(loop, measured):
    pull, run = measured
    good = json.dumps(report_of(loop, run))
    secret = loop.runner.folder / "home" / "secret"
    secret.write_text(KEPT)
    cases = {
        "leads out": ({"../../../harm": "x", "root/report.json": good}, ()),
        "a link to a secret": ({"root/report.json": str(secret)}, ("root/report.json",)),
        "a link to a folder": ({"more": "/", "root/report.json": good}, ("more",)),
        "a bomb": ({"root/report.json": f"[{' ' * 60_000_000}]"}, ()),
        "another schema": ({"root/report.json": '{"verdict": {"outcome": "pass"}}'}, ()),
    }
    for name, (entries, links) in cases.items():
        leave(loop, run, entries, links)
        comment = published(loop, pull, run)
        assert "✅" not in comment.splitlines()[2], f"{name}: {comment}"
        assert set(conclusions(loop, pull)) == {"failure"}, name


def test_a_report_on_another_pull_request_reaches_neither(loop, measured):
    theirs, run = measured
    ours = opened(loop, "cap-ages")
    leave(loop, run, {"root/report.json": json.dumps(report_of(loop, loop.measure(ours)))})
    comment = published(loop, theirs, run)
    assert "speaks of" in comment
    assert comments(loop, ours) == []
    assert conclusions(loop, ours) == []


def hostile(value, key=""):
    """The same report with hostile words wherever a text is free."""
    if isinstance(value, dict):
        return {name: hostile(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner, key) for inner in value]
    free = {
        "title",
        "message",
        "mend",
        "headline",
        "note",
        "slice",
        "name",
        "column",
        "check",
        "tool",
        "footer",
        "repeat",
    }
    return WORDS if isinstance(value, str) and key in free else value


def test_words_in_a_report_stay_words(loop, measured):
    pull, run = measured
    leave(loop, run, {"root/report.json": json.dumps(hostile(report_of(loop, run)))})
    harmless(published(loop, pull, run))


def test_names_of_branches_commits_and_slices_stay_words(loop):
    branch = "x';touch${IFS}harm;$(touch${IFS}harm)`touch${IFS}harm`"
    slices = "</details><script>alert(1)</script> @octocat ![x](https://evil.example/x)"
    edited(loop, branch, ("params.yaml", "over 50s:", f"{json.dumps(slices)}:"), start="more-steps", message=WORDS)
    pull = opened(loop, branch, fork=True)
    measured = loop.measure(pull)
    assert measured.outcome == "success", measured.story
    assert "stolen" not in measured.outputs
    comment = published(loop, pull, measured)
    assert "alert(1)" in comment
    harmless(comment)
