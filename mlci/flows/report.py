"""Write what a run found: the verdict and the report as JSON, and everything that people and forges read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from mlci.edges.files import write_text
from mlci.errors import PolicyError
from mlci.flows.data_findings import REPORT, REPORTS, VERDICT, load_report
from mlci.render.json import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.report import Report

Format = Literal["html", "markdown", "junit", "sarif", "svg"]
FORMATS: tuple[Format, ...] = get_args(Format)


def chosen_formats(names: list[str]) -> tuple[Format, ...]:
    """The formats of these names, or all of them where none is named.

    Raises:
        PolicyError: There is no such format.
    """
    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise PolicyError(f"there is no report format {unknown[0]!r}", f"choose of {', '.join(FORMATS)}")
    return tuple(kind for kind in FORMATS if kind in names) or FORMATS


def save(root: Path, report: Report) -> None:
    """Keep the verdict and the report for later commands, over those of an earlier run. Raises WorldError."""
    write_text(root / VERDICT, to_json(report.verdict))
    write_text(root / REPORT, to_json(report))


def save_stage(root: Path, file: str, report: Report) -> None:
    """Keep what one stage found; where it blocks, it is the run's verdict too: nothing comes after it."""
    write_text(root / file, to_json(report))
    if report.verdict.blocked:
        save(root, report)


def load(root: Path, file: str = REPORT) -> Report:
    """What an earlier command found. Raises WorldError as `load_report` does."""
    return load_report(root, file)


def write(root: Path, report: Report, formats: tuple[Format, ...] = FORMATS, out: Path | None = None) -> list[Path]:
    """Write the report in these formats.

    Returns:
        The files written, in the order of `formats`.
    """
    folder = out if out is not None else root / REPORTS
    written: list[Path] = []
    svgs = _drawn(report) if {"html", "svg"} & set(formats) else {}
    for kind in formats:
        written += _write(folder, report, kind, svgs)
    return written


def _drawn(report: Report) -> dict[str, str]:
    from mlci.edges.vega import render_svgs  # noqa: PLC0415 - as below
    from mlci.render.charts import specs  # noqa: PLC0415

    return render_svgs(specs(report))


def _write(folder: Path, report: Report, kind: Format, svgs: dict[str, str]) -> list[Path]:
    # One renderer at a time: charts need an engine that the others do without.
    match kind:
        case "html":
            from mlci.render.html import render_html  # noqa: PLC0415

            return [write_text(folder / "report.html", render_html(report, svgs))]
        case "markdown":
            from mlci.render.markdown import render_markdown  # noqa: PLC0415

            return [write_text(folder / "report.md", render_markdown(report))]
        case "junit":
            from mlci.render.junit import render_junit  # noqa: PLC0415

            return [write_text(folder / "junit.xml", render_junit(report.verdict))]
        case "sarif":
            from mlci.render.sarif import render_sarif  # noqa: PLC0415

            return [write_text(folder / "results.sarif", render_sarif(report.verdict))]
        case "svg":
            return [write_text(folder / "charts" / f"{name}.svg", svg) for name, svg in svgs.items()]
