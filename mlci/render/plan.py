"""A plan and the state of a project on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlci.nouns import units
from mlci.render import view
from mlci.render.text import clean

if TYPE_CHECKING:
    from rich.console import Console

    from mlci.nouns.ledger import Status, UsedTestSet
    from mlci.nouns.plan import Need, Peer, Plan

_DIGEST = 10
_MARK = "\N{HEAVY CHECK MARK}"


def render_plan(plan: Plan, console: Console) -> None:
    """Print what each promise needs. Nothing in it is read as markup."""
    console.print(Text(clean(f"Plan for {plan.project}" if plan.project else "Plan"), style="bold"))
    for line in _promises(plan):
        console.print(Padding(Text(line), (0, 0, 0, 2)))
    if plan.needs:
        console.print(_needs(plan))
    for line in _legend(plan):
        _say(console, line)
    if plan.peers:
        console.print(_peers(plan))
    for note in plan.notes:
        _say(console, note)


def _legend(plan: Plan) -> list[str]:
    lines = []
    if any(need.sees is not None for need in plan.needs):
        both = " (alone / as one of all checks)" if plan.tests > 1 else ""
        lines.append(f"sees: the smallest loss that these rows reveal 8 times in 10{both}.")
    if plan.needs:
        said = "needs, more, labels: rows in all, those that are missing, and labels for them"
        lines.append(f"{said}, so that an equally good model passes 8 times in 10.")
    if any(need.critical for need in plan.needs):
        lines.append(f"* critical: {_risk(plan)}")
    return [*lines, *_unknown(plan.needs)]


def _promises(plan: Plan) -> list[str]:
    blocked, passed = f"{100 * plan.alpha:.3g}", f"{100 * plan.beta:.3g}"
    lines = [
        f"Of 100 models that are no worse, at most about {blocked} are blocked.",
        f"Of 100 that are worse by what you allow, at most {passed} pass a check.",
    ]
    if plan.tests > 1:
        lines.append(f"{plan.tests} checks share the chance of the first line.")
    if plan.budget is not None:
        lines.append(budget_line(plan.budget))
    return lines


def budget_line(test_set: UsedTestSet) -> str:
    """Such as: data/test.parquet was used 7 times of 50: 43 are left."""
    name = clean(test_set.path) or test_set.test[:_DIGEST]
    if test_set.planned is None:
        return f"{name} was used {_times(test_set.used)}."
    over = test_set.used - test_set.planned
    left = f"{test_set.left} are left" if over < 0 else "none is left: ask for fresh rows"
    return f"{name} was used {_times(test_set.used)} of {units.count(test_set.planned)}: {left}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{units.count(number)} times"


def _risk(plan: Plan) -> str:
    use = min(need.risk for need in plan.needs if need.critical)
    allowed = f"a model that is worse by what you allow gets through in at most {100 * plan.beta:.3g} of 100 cases"
    blind = " by somebody who does not learn from the outcomes" if plan.adaptivity == "none" else ""
    return f"{allowed} although it is tried {plan.steps} times{blind} ({100 * use:.2g} of 100 a try)."


def _say(console: Console, text: str) -> None:
    console.print(Padding(Text(clean(text), style="dim"), (0, 0, 0, 2)))


def _needs(plan: Plan) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, header_style="dim")
    several = len({need.baseline for need in plan.needs if need.baseline}) > 1
    today = any(need.rows is not None for need in plan.needs)
    differ = any(need.differ is not None for need in plan.needs)
    table.add_column("promise", overflow="fold")
    names = (("rows", "sees") if today else (), ("differ",) if differ else (), ("needs",), ("more",) if today else ())
    for name in (*(name for some in names for name in some), "labels"):
        table.add_column(name, justify="right", no_wrap=True)
    for need in plan.needs:
        cells = [Text(_promise(need, several=several))]
        cells += [Text(_count(need.rows)), Text(_sees(need))] if today else []
        cells += [Text("" if need.differ is None else units.small_percent(need.differ))] if differ else []
        cells += [Text(_about(need.needed_rows)), *([_more(need.more_rows)] if today else [])]
        table.add_row(*cells, Text(_about(need.more_labels if today else need.needed_labels)))
    return table


def _more(rows: int | None) -> Text:
    if rows is None:
        return Text("?", style="dim")
    return Text(_about(rows), style="yellow") if rows else Text(_MARK, style="green")


def _unknown(needs: tuple[Need, ...]) -> list[str]:
    """Why some needs are not known, each reason once."""
    reasons: dict[str, list[str]] = {}
    for need in needs:
        if need.note:
            reasons.setdefault(need.note, []).append(_promise(need, several=False))
    return [f"{'; '.join(dict.fromkeys(promises))}: {note}." for note, promises in reasons.items()]


def _promise(need: Need, *, several: bool) -> str:
    where = f" where {clean(need.slice)}" if need.slice is not None else ""
    against = f" against {clean(need.baseline)}" if several and need.baseline else ""
    return f"{units.metric_name(need.metric)}{where}: {clean(need.limit)}{against}{' *' if need.critical else ''}"


def _sees(need: Need) -> str:
    """The smallest loss that is seen, alone and as one of all checks: `1.2 / 1.8 pt`."""
    if need.sees is None:
        return ""
    alone = units.amount(need.metric, need.sees)
    first = units.amount(need.metric, need.sees_first) if need.sees_first is not None else alone
    return f"{alone if first == alone else f'{alone} / {first}'}{' pt' if units.is_share(need.metric) else ''}"


def _peers(plan: Plan) -> Table:
    title = f"For comparison, ease.ml/ci's bounds for {plan.steps} uses, adaptivity {plan.adaptivity}"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), header_style="dim", title=title, title_justify="left")
    table.add_column("condition")
    for name in ("rows", "rows, few changes", "labels a use"):
        table.add_column(name, justify="right")
    for peer in plan.peers:
        table.add_row(Text(clean(peer.condition)), *(Text(cell) for cell in _peer(peer)))
    return table


def _peer(peer: Peer) -> tuple[str, str, str]:
    return _count(peer.rows), _count(peer.few_changed_rows), _count(peer.labels_per_commit)


def _count(number: int | None) -> str:
    return "" if number is None else units.count(number)


def _about(number: int | None) -> str:
    return "" if number is None else units.about(number)


def render_status(status: Status, console: Console, *, uses: bool) -> None:
    """Print the last verdict and how used the test sets are; with `uses`, their newest uses too."""
    if status.outcome is None:
        console.print(Text(f"{clean(status.project)}: no verdict yet (`mlci compare` makes one)", style="bold"))
    else:
        mark = view.MARKS[view.VERDICT_TONES[status.outcome]]
        at = f" ({status.commit[:_DIGEST]})" if status.commit else ""
        console.print(Text(f"{mark} {clean(status.project)}: {clean(status.headline)}{at}", style="bold"))
    if status.stages:
        console.print(Padding(_stages(status), (0, 0, 0, 2)))
    elif status.releases:
        last = status.releases[0]
        console.print(Padding(Text(f"Latest release: {clean(last.model)} {clean(last.version)}"), (0, 0, 0, 2)))
    for test_set in status.test_sets if uses else status.test_sets[:1]:
        console.print(Padding(Text(budget_line(test_set)), (0, 0, 0, 2)))
        if uses and test_set.uses:
            console.print(Padding(_uses(test_set), (0, 0, 0, 4)))
    for note in [*(["Entries wait to be sent to the remote."] if status.unsent else []), status.note]:
        if note:
            _say(console, note)


def _stages(status: Status) -> Table:
    several = len({one.model for one in status.stages}) > 1
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in (*(("model",) if several else ()), "stage", "version", "since", "by", "on what evidence"):
        table.add_column(name, overflow="fold")
    for one in status.stages:
        since = one.since[:16].replace("T", " ")
        cells = (
            one.stage,
            one.version or "-",
            since,
            one.by,
            one.evidence or ("none known here" if one.version else ""),
        )
        table.add_row(*(Text(clean(cell)) for cell in (*((one.model,) if several else ()), *cells)))
    return table


def _uses(test_set: UsedTestSet) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("when", "verdict", "candidate", "commit", "change"):
        table.add_column(name, overflow="fold")
    for use in test_set.uses:
        cells = (
            use.at[:19].replace("T", " "),
            use.outcome,
            use.candidate[:_DIGEST],
            clean(use.commit[:_DIGEST]),
            clean(use.change),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table
