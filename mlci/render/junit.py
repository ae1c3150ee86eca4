"""The verdict as JUnit XML, which most CI systems show as a list of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from mlci.render import view
from mlci.render.text import clean

if TYPE_CHECKING:
    from mlci.nouns.finding import Finding, Verdict

_SUITES = {"pipeline": "pipeline", "data": "data checks", "gate": "model gates"}


def render_junit(verdict: Verdict) -> str:
    """One suite an area, one test case a finding; what blocks is a failure, what nobody could judge is skipped.

    There is no time and no host in it: the same verdict gives the same bytes.
    """
    root = ET.Element("testsuites", name=f"mlci {clean(verdict.project)}")
    for area, name in _SUITES.items():
        findings = [finding for finding in verdict.findings if finding.area == area]
        if findings:
            root.append(_suite(name, findings))
    counts = ("tests", "failures", "errors")
    for count in counts:
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(name: str, findings: list[Finding]) -> ET.Element:
    suite = ET.Element("testsuite", name=name)
    for finding in findings:
        suite.append(_case(finding))
    suite.set("tests", str(len(findings)))
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(kind, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", "0")
    return suite


def _case(finding: Finding) -> ET.Element:
    group, _, last = finding.check.rpartition(".")
    case = ET.Element("testcase", classname=clean(group or finding.area), name=clean(finding.title or last), time="0")
    if finding.place is not None:
        case.set("file", clean(finding.place.file))
        case.set("line", str(finding.place.line))
    row = view.row(finding)
    said = "\n".join(clean(text) for text in (row.number, row.words, row.mend, *finding.output) if text)
    if finding.blocks:
        tag = "error" if finding.outcome == "not_measured" else "failure"
        ET.SubElement(case, tag, message=clean(row.words), type=clean(row.verdict)).text = said
    elif finding.outcome in {"too_small", "not_comparable"}:
        ET.SubElement(case, "skipped", message=clean(row.words))
    else:
        ET.SubElement(case, "system-out").text = f"{row.verdict}\n{said}"
    return case
