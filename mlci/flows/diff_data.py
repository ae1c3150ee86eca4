"""Show what changed in the data between two revisions."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.diff_tables import diff_tables
from mlci.edges.duck import session
from mlci.edges.files import digest
from mlci.edges.git import History
from mlci.edges.revisions import Revisions
from mlci.edges.tables import TableFiles, find_table, materialise, open_table
from mlci.errors import PolicyError, WorldError
from mlci.measure.diff import data_diff
from mlci.nouns.report import DataDiff
from mlci.render.diff import render_diffs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.nouns.data_policy import Table
    from mlci.nouns.engine import Engine
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.table_schema import TableSchema

WORK_TREE = "work tree"


def diff_data(
    root: Path,
    policy_file: PolicyFile,
    old_rev: str,
    new_rev: str | None = None,
    table: str | None = None,
    *,
    read_old: Callable[[str, str], Path],
) -> tuple[DataDiff, ...]:
    """Compare the policy's tables between two revisions.

    Args:
        root: The repository.
        policy_file: Today's policy: it names the tables, their paths and the id.
        old_rev: The older revision.
        new_rev: The newer one; None for the work tree.
        table: Name of the only table to compare; None for all.
        read_old: Fetches the file that stood at a path of the repository at a revision.

    Returns:
        One diff a table. A table that can't be compared says why in its note.

    Raises:
        PolicyError: The policy has no such table.
        WorldError: The newer version of a table can't be read.
    """
    found = []
    for name in _chosen(policy_file, table):
        promised = policy_file.policy.data[name]
        shown = new_rev or WORK_TREE
        new = read_old(new_rev, promised.path) if new_rev is not None else None
        try:
            old = read_old(old_rev, promised.path)
        except WorldError as error:
            note = f"not compared: {error.problem}"
            found.append(DataDiff(table=name, old=old_rev, new=shown, note=note))
            continue
        if _same(old, new if new is not None else root / promised.path):
            found.append(DataDiff(table=name, old=old_rev, new=shown, note="unchanged"))
            continue
        model = policy_file.policy.model
        wanted = _Wanted(promised, model.id if model else None, policy_file.policy.engine)
        found.append(_diff(root, wanted, old, new, (name, old_rev, shown)))
    return tuple(found)


def show_diff(
    root: Path,
    policy_file: PolicyFile,
    old: str,
    new: str | None = None,
    *,
    table: str | None = None,
    as_json: bool = False,
) -> str:
    """The same as text for a terminal, or as JSON; files are fetched out of Git and DVC.

    Raises:
        PolicyError: There is no such revision or table.
        WorldError: The newer version of a table can't be read.
    """
    history = History(root)
    revisions = Revisions(root, history)
    for rev in (old, new):
        if rev is not None:
            history.commit(rev)
    diffs = diff_data(root, policy_file, old, new, table, read_old=revisions.fetch)
    if as_json:
        return json.dumps([diff.model_dump(mode="json") for diff in diffs], indent=2, ensure_ascii=False) + "\n"
    return render_diffs(diffs)


class _Wanted(NamedTuple):
    """What the policy says of the table that is compared."""

    table: Table
    id_column: str | None
    engine: Engine

    def key(self, old: TableSchema, new: TableSchema) -> tuple[str, ...]:
        """Columns that tell a row: the model's id, else what the policy promises to be unique."""
        candidates: list[tuple[str, ...]] = [(self.id_column,)] if self.id_column is not None else []
        candidates += [(name,) for name, column in self.table.columns.items() if column.unique]
        for columns in [*candidates, *(own.columns for own in self.table.unique)]:
            if all(name in old.columns and name in new.columns for name in columns):
                return columns
        return ()


def _diff(root: Path, wanted: _Wanted, old: Path, new: Path | None, names: tuple[str, str, str]) -> DataDiff:
    """Open both versions and set them against each other."""
    path = wanted.table.path
    texts = [name for name, column in wanted.table.columns.items() if column.type == "string"]
    with session(wanted.engine) as connection:
        schemas = []
        for view, file in (("old version", old), ("new version", new)):
            files = find_table(root, path if file is None else str(file))
            files = TableFiles(path, files.format, files.files)
            schema = open_table(connection, files, view, texts=texts)
            schemas.append(materialise(connection, files, schema, texts=texts))
        measured = diff_tables(connection, schemas[0], schemas[1], wanted.key(*schemas), wanted.engine.memory)
    return data_diff(measured, *names)


def _same(old: Path, new: Path) -> bool:
    """Whether both are the same bytes."""
    return new.is_file() and old.stat().st_size == new.stat().st_size and digest(old) == digest(new)


def _chosen(policy_file: PolicyFile, table: str | None) -> tuple[str, ...]:
    known = policy_file.policy.data
    if table is None:
        return tuple(known)
    if table not in known:
        close = difflib.get_close_matches(table, known, n=1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise PolicyError(
            f"{policy_file.place('data')}: there is no table `{table}`{hint}", f"known: {', '.join(known)}"
        )
    return (table,)
