import re
from html.parser import HTMLParser

import pytest
from hostile_text import TEXTS
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from samples import CHARTS, DATA, DIFF, MISSING, SAMPLES, failing, hostile, report

from mlci.nouns.finding import Flips, Rows
from mlci.nouns.report import DataDiff
from mlci.render.folds import bar
from mlci.render.html import render_html
from mlci.render.markdown import LIMIT, marker, render_markdown
from mlci.render.text import markdown_code, markdown_fence, markdown_prose, markdown_text

# As near to GitHub's dialect as a parser here comes. Unlike this one, GitHub takes neither `e.vil` nor `//e.vil` for an
# address, so these are switched off; e-mail addresses and everything with a scheme are on, and `www.` with any letter
# behind it, which to GitHub includes those that nobody sees.
GITHUB = MarkdownIt("gfm-like", {"html": True})
GITHUB.linkify.set({"fuzzy_link": False})
GITHUB.linkify.tlds(["vil"], keep_old=True)
GITHUB.linkify.add("//", None)
GITHUB.linkify.add("www.", {"validate": lambda _, text, at: len(re.match(r"[^\s<>.,:;!?()'\"*_~-]*", text[at:])[0])})
REPEATABLE = {"span", "code"}
"""Elements whose number depends on the text: a dollar and a name between backticks bring their own."""


class Page(HTMLParser):
    """The elements of a page, and the text that stands outside of code, where a forge looks for references."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str | None]] = set()
        self.comments: list[str] = []
        self.text = ""
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._code += tag in {"code", "pre"}
        self.tags.append(tag)
        self.attributes |= set(attrs)

    def handle_endtag(self, tag):
        self._code -= tag in {"code", "pre"}
        self.tags.append(f"/{tag}")

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        if not self._code:
            self.text += data

    def structure(self):
        return [tag for tag in self.tags if tag.strip("/") not in REPEATABLE]


REFERENCES = re.compile(
    r"@[\w-]|(?:^|[^\w&])#\d|\bGH-\d|://\w|\bwww\.\w|:[\w+-]+:(?=\s|$)|(?<!\w)[0-9a-f]{40}(?!\w)|mailto:\w", re.ASCII
)


@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name, golden):
    golden(f"{name}.md", render_markdown(SAMPLES[name]()))


@settings(max_examples=60, deadline=None)
@example(" a@e.vil")
@example("00www.e.vil")
@example("www.e.vil")
@given(TEXTS)
def test_hostile_text_is_only_text(text):
    page = Page(GITHUB.render(render_markdown(hostile(text))))
    plain = Page(GITHUB.render(render_markdown(hostile("plain"))))
    assert page.structure() == plain.structure()
    assert page.attributes <= plain.attributes | {("class", "language-sh")}
    assert len(page.comments) == 2
    assert not {"a", "img", "script", "input"} & set(page.tags)
    assert not REFERENCES.search(page.text), REFERENCES.search(page.text)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_every_way_to_write_text_is_inert_by_itself(text):
    for written in (markdown_text(text), markdown_prose(text), markdown_code(text)):
        assert "\n" not in written
        page = Page(GITHUB.render(written))
        # Nothing but blanks is no paragraph at all.
        assert page.structure() in ([], ["p", "/p"])
        assert not REFERENCES.search(page.text)
    page = Page(GITHUB.render(markdown_fence((text, text))))
    assert page.tags == ["pre", "code", "/code", "/pre"]


def test_the_parser_finds_what_github_finds():
    for text in (
        "www.e.vil",
        "www.\u200ce.vil",
        "<code>www.e.vil</code>",
        "a@e.vil",
        "https://e.vil",
        "mailto:a@e.vil",
    ):
        assert "a" in Page(GITHUB.render(text)).tags, text
    for text in ("e.vil", "//e.vil/x", "www.", "virgin.vi"):
        assert "a" not in Page(GITHUB.render(text)).tags, text


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_cell_stays_one_cell(text):
    for written in (markdown_text(text), markdown_code(text), markdown_prose(text)):
        page = Page(GITHUB.render(f"| a | b |\n|--|--|\n| {written} | x |\n"))
        assert page.tags.count("td") == 2


@given(TEXTS)
def test_no_character_that_hides_or_obeys_is_left(text):
    written = markdown_text(text) + markdown_code(text) + "".join(markdown_fence((text,)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("age > 50", "age &#62; 50"),
        ("83.2 → 82.0 %", "83.2 → 82.0 %"),
        ("1. first", "1&#46; first"),
        ("- item", "&#45; item"),
        ("---", "&#45;--"),
        ("a\nb", "a⏎b"),
        ("$x$", "<span>&#36;</span>x<span>&#36;</span>"),
    ],
)
def test_plain_words_stay_readable(text, shown):
    assert markdown_text(text) == shown


def test_names_between_backticks_are_code():
    assert markdown_prose("Raise `drop` or `a|b`.") == "Raise <code>drop</code> or <code>a&#124;b</code>."


def test_the_first_line_is_the_verdict_and_its_number():
    lines = render_markdown(failing()).splitlines()
    assert lines[0] == "<!-- mlci:flights -->"
    assert lines[2] == "### ❌ **Blocked:** accuracy, origin = JFK: 83.2 → 82.0 % (199 rows worse, 98 better)"
    table = lines[4 : lines.index("", 4)]
    assert len(table) <= 2 + 5


def test_checks_of_several_tables_name_theirs():
    one = MISSING.model_copy(update={"data": MISSING.data.model_copy(update={"table": "planes"})})
    told = render_markdown(report([one, *DATA], gates=False))
    assert "| planes: distance is at most 5 % missing" in told
    assert "| flights: at least 10,000 rows" in told
    assert "flights: " not in render_markdown(report([MISSING, *DATA], gates=False))


def test_tables_that_are_as_they_were_need_no_reading():
    same = [DataDiff(table=name, old="5f1e0c9", new="work tree", note="unchanged") for name in ("planes", "airports")]
    told = render_markdown(report(DATA, gates=False, diffs=(DIFF, *same)))
    assert "Data: flights, 108,512" in told
    assert "<summary>Data: 2 tables unchanged</summary>" in told
    assert "no column changed" not in told
    page = render_html(report(DATA, gates=False, diffs=(DIFF, *same)), {})
    assert page.count("No column changed") == 0
    assert "<strong>planes</strong>" in page


def test_a_metric_that_has_no_slices_has_no_chart_of_them():
    whole = (CHARTS.slices[0].model_copy(update={"slice": "all rows"}),)
    assert "per slice" not in render_markdown(report(DATA, charts=CHARTS.model_copy(update={"slices": whole})))


def test_markers_of_different_projects_differ():
    assert marker("flights") == "<!-- mlci:flights -->"
    names = ["a b", "a>b", "a~3e~b", "-->", "~2d~~2d~~3e~", "ü", "a\nb"]
    assert len({marker(name) for name in names}) == len(names)
    for name in names:
        assert re.fullmatch(r"<!-- mlci:[\w ./~-]+ -->", marker(name), re.ASCII)


def _large(text, rows, times):
    report = hostile(text)
    many = Rows(columns=(text,) * 40, rows=((text,) * 40,) * rows)
    finding = report.verdict.findings[0]
    data = finding.data.model_copy(update={"examples": many})
    comparison = report.verdict.comparisons[0]
    flips = tuple(Flips(slice=f"{place} {text}", rows=9, gained=1, lost=2, examples=many) for place in range(times))
    verdict = report.verdict.model_copy(
        update={
            "findings": (finding.model_copy(update={"data": data}),) * times,
            "comparisons": (comparison.model_copy(update={"flips": flips}),) * 8,
        }
    )
    return report.model_copy(
        update={
            "verdict": verdict,
            "metrics": report.metrics * times,
            "diffs": report.diffs * times,
            "repeat": (text,) * 20,
        }
    )


@pytest.mark.parametrize(
    "text", ["plain", "&" * 5_000, "\u202e" * 5_000, "😀" * 5_000, "@a|`" * 2_000, "`" * 5_000, "$" * 5_000, "\n" * 90]
)
@pytest.mark.parametrize("times", [3, 60])
def test_never_longer_than_a_comment_may_be(text, times):
    comment = render_markdown(_large(text, 10, times))
    assert len(comment.encode()) <= LIMIT
    assert "<sub>" in comment
    assert comment.count("<details") == comment.count("</details>")
    if times == 60:
        assert "eft out, because there is room for so much" in comment


def test_what_is_least_important_goes_first():
    comment = render_markdown(_large("plain text", 10, 90), limit=30_000)
    assert len(comment.encode()) <= 30_000
    assert "How to repeat it locally" in comment
    assert "<summary>All checks" in comment
    assert re.search(r"Left out, because there is room for so much: .*data diff", comment)


def test_blocks_that_do_not_fit_are_counted():
    report = _large("plain", 1, 9)
    assert "4 more checks block; all checks are below." in render_markdown(report)


def test_bars_grow_from_the_middle():
    assert bar(1, 2, width=2) == "█"
    assert bar(0.01, 2) == "▌"
    assert bar(0.3, 1, width=2, left=True) == "▐"
    assert bar(3, 4, width=2, left=True) == "▐█"
    assert bar(-1, 2) == bar(1, 0) == ""
