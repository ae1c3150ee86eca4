"""What a run leaves is hostile until shown otherwise: no name and no byte of it does harm."""

import json
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import SHA, Job, finding, leave, report

from mlci.edges.artefact import MOST_BYTES, MOST_FILES, RefusedError, parse_report, read_artefact
from mlci.render.json import to_json


def problems(source, *projects):
    told = read_artefact(source, projects)
    return told.problem or [each.problem for each in told.found]


def zipped(path, **names):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in names.items():
            archive.writestr(name, text)
    return path


def test_reports_are_found_at_the_top_or_in_folders(tmp_path):
    told = report("fail")
    top = read_artefact(leave(tmp_path / "one", top=told))
    assert [(each.project, each.report) for each in top.found] == [(".", told)]
    several = read_artefact(leave(tmp_path / "two", **{"models/churn": told, "flights": told}))
    assert [each.project for each in several.found] == ["flights", "models/churn"]
    packed = zipped(tmp_path / "three.zip", **{"report.json": to_json(told), "report.html": "x"})
    assert read_artefact(packed) == top


def test_index_says_whose_a_folder_is(tmp_path):
    left = leave(tmp_path / "left", root=report("pass"), churn=report("fail"))
    (left / "index.json").write_text(json.dumps({"root": ".", "churn": "models/churn", "gone": "models/gone"}))
    assert [(each.project, each.report is None) for each in read_artefact(left).found] == [
        (".", False),
        ("models/churn", False),
        ("models/gone", True),
    ]
    assert [each.project for each in read_artefact(left, ("models/churn",)).found] == ["models/churn"]


@pytest.mark.parametrize(
    "index",
    [
        "no json",
        "[]",
        "{}",
        '{"root": 3}',
        '{"root": "../elsewhere"}',
        '{"root": "/etc"}',
        '{"root": "a//b"}',
        '{"root": "a\\nb"}',
        '{"root": "--><script>"}',
        '{"a": ".", "b": "."}',
        json.dumps({f"p{place}": f"p{place}" for place in range(200)}),
        "[" * 100_000,
    ],
    ids=lambda text: text[:24],
)
def test_index_that_leads_elsewhere_is_refused(tmp_path, index):
    left = leave(tmp_path / "left", root=report("pass"))
    (left / "index.json").write_text(index)
    assert isinstance(problems(left), str)


def test_nothing_left_is_no_report(tmp_path):
    assert read_artefact(tmp_path / "nothing").found == ()
    assert problems(leave(tmp_path / "empty"), ".", "a") == ["the run left no report"] * 2


@pytest.mark.parametrize("target", ["/etc/hostname", "report.html", "/dev/zero", "missing", "."])
def test_links_are_not_followed(tmp_path, target):
    left = leave(tmp_path / "left")
    (left / "report.html").write_text(to_json(report("pass")))
    (left / "report.json").symlink_to(target)
    assert "link or a device" in problems(left)


def test_folder_that_is_a_link_is_not_followed(tmp_path):
    real = leave(tmp_path / "real", top=report("pass"))
    (tmp_path / "left").symlink_to(real)
    assert "neither a folder nor a file" in problems(tmp_path / "left")
    outer = leave(tmp_path / "outer")
    (outer / "project").symlink_to(real)
    assert "link or a device" in problems(outer)


def test_pipe_does_not_hold_the_publisher_up(tmp_path):
    left = leave(tmp_path / "left")
    os.mkfifo(left / "report.json")
    assert "link or a device" in problems(left)


def test_sizes_are_bounded(tmp_path):
    left = leave(tmp_path / "left")
    with (left / "report.json").open("wb") as file:
        file.truncate(200 * MOST_BYTES)
    assert problems(left) == ["the report is larger than 8 MB"]
    bomb = zipped(tmp_path / "bomb.zip", **{"report.json": " " * (MOST_BYTES + 1)})
    assert bomb.stat().st_size < MOST_BYTES / 100
    assert problems(bomb) == ["the report is larger than 8 MB"]


def test_number_and_depth_of_files_are_bounded(tmp_path):
    left = leave(tmp_path / "left", top=report("pass"))
    for place in range(MOST_FILES):
        (left / f"{place}").touch()
    assert "more than 5,000 files" in problems(left)
    deep = tmp_path / "deep" / "/".join("d" * 20)
    leave(deep, top=report("pass"))
    assert "leads elsewhere" in problems(tmp_path / "deep")
    many = leave(tmp_path / "many", **{f"p{place}": "{}" for place in range(30)})
    assert "30 projects" in problems(many)


@pytest.mark.parametrize(
    "name",
    [
        "../report.json",
        "a/../../report.json",
        "/etc/report.json",
        "//host/report.json",
        "C:/report.json",
        "..\\report.json",
        "a/./report.json",
        "/".join("d" * 20) + "/report.json",
        "x" * 2_000,
    ],
    ids=lambda name: name[:20],
)
def test_zip_slip_is_refused(tmp_path, name):
    packed = zipped(tmp_path / "a.zip", **{"report.json": to_json(report("pass")), name: "x"})
    assert "leads elsewhere" in problems(packed)


def test_link_in_a_zip_is_refused(tmp_path):
    item = zipfile.ZipInfo("report.json")
    item.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(item, "/etc/passwd")
    assert "a link" in problems(tmp_path / "a.zip")


def test_zip_with_two_files_of_one_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("report.json", to_json(report("pass")))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("report.json", to_json(report("fail")))
    assert "two of one name" in problems(tmp_path / "a.zip")


def test_damaged_zip_is_no_report(tmp_path):
    packed = zipped(tmp_path / "a.zip", **{"report.json": to_json(report("pass"))})
    data = bytearray(packed.read_bytes())
    data[60:80] = b"\0" * 20
    packed.write_bytes(data)
    assert problems(packed) != [""]
    packed.write_bytes(b"PK\5\6 no zip")
    assert problems(packed) == "what the run left is no ZIP file"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"verdict": {}}',
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        "\ufeff{}",
        '{"verdict": "\\ud800"}',
        to_json(report("pass")).replace('"outcome": "pass"', '"outcome": "pass", "surprise": 1', 1),
        to_json(report("pass")).replace('"schema_version": 1', '"schema_version": 2'),
        to_json(report("pass")).replace('"alpha": null', '"alpha": NaN'),
        to_json(report("pass")).replace('"alpha": null', '"alpha": 1e999'),
        to_json(report("pass")).replace('"alpha": null', f'"alpha": {"9" * 5_000}'),
        to_json(report("pass")).replace('"look": null', f'"look": {"9" * 100}'),
        to_json(report("pass", project="x" * 300_000)),
    ],
    ids=lambda text: text[:20],
)
def test_report_that_is_none_is_refused(text):
    with pytest.raises(RefusedError):
        parse_report(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_report_or_refused(data):
    with pytest.raises(RefusedError):
        parse_report(data)


VALID = json.loads(to_json(report("fail")))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(VALID["verdict"])), VALUES)
def test_any_value_in_a_report_is_taken_or_refused(field, value):
    changed = VALID | {"verdict": VALID["verdict"] | {field: value}}
    try:
        told = parse_report(json.dumps(changed).encode("utf-8", "surrogatepass"))
    except RefusedError:
        return
    # JSON has 12 digits of a number; what is written is read and written the same again.
    written = to_json(told)
    assert to_json(parse_report(written.encode())) == written


@pytest.fixture
def job(github, tmp_path):
    (tmp_path / "job").mkdir()
    return Job(github, tmp_path / "job")


EVIL = (
    "x\n::error file=params.yaml::pwned\n</details><!-- --> | @everyone <img src=x onerror=alert(1)> "
    "[a](javascript:b) `c` ::set-output name=a::b %0A"
)


def test_hostile_words_come_out_inert(github, job, tmp_path):
    number = github.pull("$(touch pwned)`id`&quot;", SHA, fork="mallory")
    found = finding("fail", title=EVIL, message=EVIL, mend=EVIL, check=EVIL)
    told = report(findings=(found,), project=EVIL, headline=f"Blocked: {EVIL}", footer=EVIL, tool=EVIL)
    left = leave(tmp_path / "left", top=told)
    done = job.event(number, conclusion="failure").publish("--from", left)
    assert done.returncode == 1
    [comment] = github.comments(number)
    [check] = github.checks(SHA)
    for text in (comment["body"], check["output"]["summary"], job.summary()):
        assert "@everyone" not in text
        assert "<img" not in text
        assert "](javascript" not in text
        assert text.count("<details") == text.count("</details>")
    assert comment["body"].count("<!--") == 2
    assert "\n" not in check["output"]["title"]
    for line in [*done.stdout.splitlines(), *done.stderr.splitlines(), *comment["body"].splitlines()]:
        assert not line.startswith("::")
    assert set(job.outputs()) == {"outcome", "sha", "pull-request", "comment-url", "check-url"}
    shown = job.publish("--from", left, "--preview")
    assert shown.stdout == comment["body"]
    assert shown.stderr.splitlines()[0].startswith("::stop-commands::")


@pytest.mark.parametrize(
    "told",
    [
        report("fail", outcome="pass", headline="Safe: all is well"),
        report("inconclusive", outcome="pass", headline="Safe: all is well"),
        report("pass", findings=(), outcome="pass", headline="Safe: all is well"),
        "{}",
        "x" * 10,
    ],
)
def test_verdict_that_cannot_be_is_not_shown(github, job, tmp_path, told):
    number = github.pull("feature", SHA)
    done = job.event(number).publish("--from", leave(tmp_path / "left", top=told))
    assert done.returncode == 1
    assert "The run died" in github.comments(number)[0]["body"]
    assert "all is well" not in github.comments(number)[0]["body"]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]


def test_artefact_cannot_name_another_pull_request(github, job, tmp_path):
    other, number = github.pull("other", "b" * 40), github.pull("feature", SHA, fork="mallory")
    told = json.loads(to_json(report("pass")))
    left = leave(tmp_path / "left", top=json.dumps(told | {"number": other, "pull_request": other}))
    job.event(number).publish("--from", left)
    assert github.comments(other) == []
    assert github.checks("b" * 40) == []
    assert "The run died" in github.comments(number)[0]["body"]


def test_artefact_full_of_traps_is_told_as_a_run_that_died(github, job, tmp_path):
    number = github.pull("feature", SHA)
    left = leave(tmp_path / "left", top=report("pass"))
    (left / "link").symlink_to("/etc/passwd")
    done = job.event(number).publish("--from", left)
    assert done.returncode == 1
    assert "a link or a device" in github.comments(number)[0]["body"]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]
