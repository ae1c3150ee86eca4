"""The bill of materials of a model: CycloneDX 1.6 with a model card, as https://cyclonedx.org/docs/1.6/json says."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from mlci.nouns.bundle import Card
    from mlci.nouns.report import MetricRow

_TASKS = {"binary": "classification", "multiclass": "classification", "regression": "regression"}


def render_bom(card: Card) -> dict[str, Any]:
    """The bill as JSON: the model, the data that it was made of, what it wants and gives, and its metrics."""
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
            "component": _model(card, name),
        },
        "components": [_data(one.path, one.version) for one in about.data],
        "dependencies": [{"ref": name, "dependsOn": [f"data:{one.path}" for one in about.data]}],
    }


def _model(card: Card, name: str) -> dict[str, Any]:
    about = card.manifest
    considerations: dict[str, Any] = {"useCases": [about.purpose]}
    if about.population:
        considerations["users"] = [about.population]
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
                "performanceMetrics": [_metric(row) for row in card.metrics if row.new is not None]
            },
            "considerations": considerations,
        },
    }


def _metric(row: MetricRow) -> dict[str, Any]:
    found: dict[str, Any] = {"type": row.metric, "value": f"{row.new:.6g}", "slice": "all rows"}
    if row.low is not None and row.high is not None:
        found["confidenceInterval"] = {"lowerBound": f"{row.low:.6g}", "upperBound": f"{row.high:.6g}"}
    return found


def _data(path: str, version: str) -> dict[str, Any]:
    kind, _, digest = version.partition(":")
    found: dict[str, Any] = {"type": "data", "bom-ref": f"data:{path}", "name": path, "version": version}
    if kind == "md5":
        found["hashes"] = [{"alg": "MD5", "content": digest}]
    return found
