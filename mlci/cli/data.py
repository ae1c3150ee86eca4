"""Commands about the data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, show, tell

app = typer.Typer(help="Check tables, propose checks for them, and show what changed.", no_args_is_help=True)


@app.command(epilog="Example: mlci data check --rows reports/failing-rows")
def check(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Tables by their names in the policy; default: all.")
    ] = None,
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    out: Annotated[
        str | None,
        typer.Option(
            help="Report to write inside the project; default: reports/data.json, or data-TABLES.json for some."
        ),
    ] = None,
    rows: Annotated[
        Path | None, typer.Option("--rows", help="Folder to save all rows that fail to, a file a check.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was asked of the engine, and what it took.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the data against the policy, and keep the findings in reports/ for `mlci compare`."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.report_data import check_and_report

    names = tuple(tables or ())
    target = out or f"reports/{'-'.join(['data', *names])}.json"
    report, found = check_and_report(
        project, load_policy(project, policy), tables=names, out=target, rows_to=rows, explain=explain
    )
    if found.explain:
        tell(found.explain)
    for file in found.saved:
        tell(f"wrote {file}")
    raise typer.Exit(show(report, as_json=as_json))


@app.command(epilog="Example: mlci data infer data/flights.parquet --name flights --id flight_id")
def infer(
    table: Annotated[str, typer.Argument(help="Parquet, CSV or JSON lines file, or a glob of them.")],
    name: Annotated[str | None, typer.Option(help="The table's name in the policy; default: the file's.")] = None,
    id: Annotated[str | None, typer.Option("--id", help="Column that identifies a row.")] = None,  # noqa: A002 - the policy's word
    label: Annotated[str | None, typer.Option(help="Column that the model predicts.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Also store the table's statistics here, to judge drift against later.")
    ] = None,
    project: Project = Path(),
) -> None:
    """Propose checks for a table from what is in it, as YAML for params.yaml."""
    from mlci.flows.infer_data import infer_data

    sys.stdout.write(infer_data(project, table, name=name, id=id, label=label))
    if reference is not None:
        from mlci.flows.data_reference import store_reference

        store_reference(project, table, reference)
        tell(f"wrote {reference}: name it in `drift: {{reference: {reference}}}`")


@app.command(epilog="Example: mlci data diff main")
def diff(
    old: Annotated[str, typer.Argument(metavar="[REV]", help="Revision to compare with.")] = "HEAD",
    new: Annotated[str | None, typer.Argument(metavar="[REV]", help="Newer revision; default: the work tree.")] = None,
    table: Annotated[str | None, typer.Option(help="A table by its name in the policy; default: all.")] = None,
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    as_json: AsJson = False,
) -> None:
    """Show what changed in the data between two revisions: rows by id, columns, and how their values shifted."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.diff_data import show_diff

    sys.stdout.write(show_diff(project, load_policy(project, policy), old, new, table=table, as_json=as_json))
