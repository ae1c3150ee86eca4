"""The bill of materials of a model: CycloneDX 1.6 with a model card, as https://cyclonedx.org/docs/1.6/json says."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.bundle import Card, DataVersion
    from mlci.nouns.report import MetricRow, SliceValue

_MD5 = 32
_TASKS = {"binary": "classification", "multiclass": "classification", "regression": "regression"}


def render_bom(card: Card, limits: Sequence[str] = ()) -> dict[str, Any]:
    """The bill as JSON: the model, the data that it was made of, what it wants and gives, its metrics and limits."""
    about = card.manifest
    name = f"{about.name}@{about.version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # From the content, so that the same release has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}/{about.sha256}')}",
        "version": 1,
        "metadata": {
            "timestamp": about.released,
            "tools": {
                "components": [{"type": "application", "name": "mlci", "version": about.tool.removeprefix("mlci ")}]
            },
            "component": _model(card, name, limits),
        },
        "components": [_data(one) for one in about.data],
        "dependencies": [{"ref": name, "dependsOn": [f"data:{one.path}" for one in about.data]}],
    }


def _model(card: Card, name: str, limits: Sequence[str]) -> dict[str, Any]:
    about = card.manifest
    considerations: dict[str, Any] = {"useCases": [about.purpose]}
    if about.population:
        considerations["users"] = [about.population]
    if limits:
        considerations["technicalLimitations"] = list(limits)
    if about.cost is not None:
        told = f"a missed positive costs {about.cost.false_negative:g}, a false alarm {about.cost.false_positive:g}"
        considerations["performanceTradeoffs"] = [told]
    return {
        "type": "machine-learning-model",
        "bom-ref": name,
        "name": about.name,
        "version": about.version.removeprefix("v"),
        "purl": f"pkg:generic/{quote(about.name, safe='')}@{about.version.removeprefix('v')}",
        "description": about.purpose,
        "supplier": {"name": about.owner},
        "hashes": [{"alg": "SHA-256", "content": about.sha256}],
        "properties": [{"name": "mlci:commit", "value": about.commit}],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": _TASKS[about.signature.task],
                "datasets": [{"ref": f"data:{one.path}"} for one in about.data],
                "inputs": [{"format": f"{each.name}: {each.type}"} for each in about.signature.inputs],
                "outputs": [{"format": each} for each in (*about.signature.score_columns, "prediction")],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": [
                    *(_metric(row) for row in card.metrics if row.new is not None),
                    *(_slice(row) for row in card.slices),
                ]
            },
            "considerations": considerations,
        },
    }


def _metric(row: MetricRow) -> dict[str, Any]:
    found: dict[str, Any] = {"type": row.metric, "value": f"{row.new:.6g}", "slice": "all rows"}
    if row.low is not None and row.high is not None:
        found["confidenceInterval"] = {"lowerBound": f"{row.low:.6g}", "upperBound": f"{row.high:.6g}"}
    return found


def _slice(row: SliceValue) -> dict[str, Any]:
    found: dict[str, Any] = {"type": row.metric, "value": f"{row.new:.6g}", "slice": row.slice}
    if row.low is not None and row.high is not None:
        found["confidenceInterval"] = {"lowerBound": f"{row.low:.6g}", "upperBound": f"{row.high:.6g}"}
    return found


def _data(one: DataVersion) -> dict[str, Any]:
    kind, _, known = one.version.partition(":")
    found: dict[str, Any] = {"type": "data", "bom-ref": f"data:{one.path}", "name": one.path, "version": one.version}
    hashes = [{"alg": "SHA-256", "content": one.sha256}] if one.sha256 else []
    hashes += [{"alg": "MD5", "content": known}] if kind == "md5" and len(known) == _MD5 else []
    if hashes:
        found["hashes"] = hashes
    told = {"use": one.use, "rows": one.rows, "from": one.since, "to": one.until}
    found["properties"] = [{"name": f"mlci:{key}", "value": str(value)} for key, value in told.items() if value]
    return found
