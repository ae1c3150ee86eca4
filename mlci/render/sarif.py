"""The verdict as SARIF 2.1.0, which forges show as annotations at the policy's lines."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci.render import view
from mlci.render.text import clean

if TYPE_CHECKING:
    from mlci.nouns.finding import Finding, Verdict

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KINDS = {
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "review",
    "too_small": "notApplicable",
    "not_comparable": "notApplicable",
    "not_measured": "fail",
}


def render_sarif(verdict: Verdict) -> str:
    """One rule and one result a check; the level is `error` where it blocks, `none` where there is nothing to mend."""
    name, _, version = verdict.tool.rpartition(" ")
    checks = sorted({finding.check for finding in verdict.findings})
    places = {check: place for place, check in enumerate(checks)}
    titles = {finding.check: finding.title for finding in reversed(verdict.findings)}
    rules = [{"id": clean(check), "shortDescription": {"text": clean(titles[check]) or "check"}} for check in checks]
    driver = {"name": clean(name) or "mlci", "version": clean(version), "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, places[finding.check]) for finding in verdict.findings],
        "properties": {"outcome": verdict.outcome, "headline": clean(verdict.headline)},
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    row = view.row(finding)
    said = ": ".join(clean(text) for text in (row.title, row.words) if text)
    kind = _KINDS[finding.outcome]
    result: dict[str, Any] = {
        "ruleId": clean(finding.check),
        "ruleIndex": rule,
        "kind": kind,
        # SARIF 3.27.10: the level of a result that is no failure is none.
        "level": _level(finding) if kind == "fail" else "none",
        "message": {"text": f"{said} {clean(row.mend)}".strip() or "no words"},
        "partialFingerprints": {"mlciCheck/v1": hashlib.sha256(finding.check.encode()).hexdigest()[:32]},
    }
    if finding.place is not None:
        place = {"uri": quote(finding.place.file), "uriBaseId": "%SRCROOT%"}
        region = {"startLine": max(1, finding.place.line)}
        result["locations"] = [{"physicalLocation": {"artifactLocation": place, "region": region}}]
    return result


def _level(finding: Finding) -> str:
    return "error" if finding.blocks else "warning" if finding.level == "warn" else "note"
