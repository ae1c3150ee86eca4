"""What is said of retraining: the pull request, the commit, the terminal; names and alarms may be hostile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.text import clean, markdown_code, markdown_prose, markdown_text
from mlci.render.view import diff_headline

if TYPE_CHECKING:
    from mlci.nouns.challenger import Challenger, Retraining
    from mlci.nouns.retrain import Decision

DATA_TRAILER = "Mlci-Data"
_MARK = re.compile(r"<!-- (\w+) (.+) -->")
_BEGIN, _END = "<!-- why -->", "<!-- /why -->"
_SIGNS = {
    "pass": "\N{WHITE HEAVY CHECK MARK}",
    "inconclusive": "\N{WHITE QUESTION MARK ORNAMENT}",
    "unchanged": "\N{WHITE HEAVY CHECK MARK}",
    "fail": "\N{CROSS MARK}",
    "crashed": "\N{CROSS MARK}",
}
_RULES = (
    "This pull request is updated in place when there is newer data, as long as nobody else pushes to {}. "
    "Who closes it refuses this data: it is not offered again."
)
_MOST_TABLES = 20
_MOST_COLUMNS = 5


def marker(model: str) -> str:
    """The hidden line at the top of a retraining's pull request."""
    return f"<!-- mlci retrain {model} -->"


def mark_of(body: str, name: str) -> str:
    """What a hidden line of a pull request's body says, such as the name of its data; empty where none does."""
    found = (_MARK.fullmatch(line.strip()) for line in body.splitlines())
    return next((each[2] for each in found if each is not None and each[1] == name), "")


def pull_title(model: str, data: str) -> str:
    """The title of the pull request: plain text."""
    return f"Train {clean(model, 60)} again: {clean(data, 120)}"


def commit_message(model: str, data: str, base: str) -> str:
    """The message of the challenger's commit. Its last lines tell a later run what it holds."""
    return f"{pull_title(model, data)}\n\nMade by `mlci retrain`.\n\n{DATA_TRAILER}: {data}\nMlci-Base: {base}"


def pull_body(challenger: Challenger, run: str, branch: str) -> str:
    """The pull request: why, what changed, what it cost, the verdict.

    Args:
        challenger: What is offered.
        run: Page of the run that offers; empty where there is none.
        branch: The pull request's.
    """
    who = f"[`mlci retrain`]({run})" if run else "`mlci retrain`"
    lines = [
        f"<!-- data {challenger.data} -->",
        f"<!-- at {challenger.at.isoformat()} -->",
        f"{_SIGNS[challenger.outcome]} {markdown_prose(challenger.headline, 1_000)}",
        "",
        *_why(challenger.decision),
        "",
        "### What changed",
        "",
        f"{markdown_code(challenger.data)} on {markdown_code(challenger.base_branch)} at {challenger.base[:10]}.",
        "",
        *_diffs(challenger),
        "### What it cost",
        "",
        *_cost(challenger),
        "",
        "### What the gate says",
        "",
        *_verdict(challenger),
        "",
        f"<sub>Made by {who}. {_RULES.format(markdown_code(branch, 120))}</sub>",
    ]
    return "\n".join(lines) + "\n"


def renewed_why(body: str, decision: Decision) -> str:
    """The same body with what asks for it by now; the same where it has no such part."""
    before, found, rest = body.replace("\r\n", "\n").partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        return body
    why = "\n".join(_why(decision))
    return f"{before}{why}{after}"


def _why(decision: Decision) -> list[str]:
    lines = [f"- {markdown_prose(each.why, 600)}" for each in decision.triggers]
    if decision.action == "wait" and decision.data.next:
        held = "; ".join(markdown_prose(each.why, 600) for each in decision.held)
        lines.append(f"- {markdown_code(decision.data.next, 120)} is not offered instead: {held}")
    nothing = "Nothing asks for it any more. It still holds what the gate said."
    return [_BEGIN, "### Why", "", *(lines or [nothing]), _END]


def _diffs(challenger: Challenger) -> list[str]:
    """A row for each table, and the columns that changed most."""
    if not challenger.diffs:
        return ["The gate compared no table with an earlier version of it.", ""]
    lines = ["| table | rows | columns |", "|---|---|---|"]
    for diff in challenger.diffs[:_MOST_TABLES]:
        names = ", ".join(markdown_text(each.column, 40) for each in diff.columns[:_MOST_COLUMNS])
        more = len(diff.columns) - _MOST_COLUMNS
        told = f"{names}{f' and {more} more' if more > 0 else ''}" or "as before"
        lines.append(f"| {markdown_text(diff.table, 60)} | {markdown_text(diff_headline(diff), 200)} | {told} |")
    return [*lines, ""]


def _cost(challenger: Challenger) -> list[str]:
    if challenger.found:
        return ["It was trained by an earlier run that did not end; what that took is not known any more."]
    price = f", which is {_money(challenger)}" if challenger.price is not None else ""
    stages = "; ".join(f"{markdown_code(each.what, 60)} {units.duration(each.seconds)}" for each in challenger.stages)
    return [f"{units.duration(challenger.seconds)} in all{price}{f': {stages}' if stages else ''}."]


def _money(challenger: Challenger) -> str:
    price = challenger.price or 0.0
    return f"{price:,.{2 if price >= 1 else 4}f} {markdown_text(challenger.currency, 12)}"


def _verdict(challenger: Challenger) -> list[str]:
    on = "There was no earlier model to compare with."
    if challenger.fresh is not None:
        on = f"Judged on {units.rows(challenger.fresh)} that neither model was trained on."
    told = f"**{challenger.outcome}**: {markdown_prose(challenger.headline, 1_000)}"
    return [told, "", f"{on} The comment below has the whole report, and the check on this commit is the same run's."]


def issue_comment(done: Retraining) -> str:
    """What the issue of an alarm is told of a challenger, as Markdown; the first line is the pull request's marker."""
    made = done.challenger
    assert made is not None  # noqa: S101 - asked by the caller
    what = f"A challenger on {markdown_code(made.data, 120)}"
    said = markdown_prose(made.why or made.headline, 1_000)
    if made.outcome == "unchanged":
        told = f"{what} was not offered: {said}"
    elif made.refused:
        told = f"{what} was **refused**: {said}"
    elif done.pull is not None:
        told = f"{what} is offered in #{done.pull}: {said}"
    else:
        told = f"{what} is offered: {said}"
    return f"{marker(done.model)}\n{told}\n\n<sub>`mlci retrain`, {made.at:%Y-%m-%d}. Edited in place.</sub>\n"


def render_terminal(done: Retraining) -> str:
    """What a run did, as plain text."""
    lines = [f"{clean(done.model, 60)}: {clean(done.headline, 1_000)}"]
    if done.decision is not None:
        lines += [f"  asks: {clean(each.why, 400)}" for each in done.decision.triggers]
        lines += [f"  holds back ({each.guard}): {clean(each.why, 400)}" for each in done.decision.held]
    made = done.challenger
    if made is not None:
        lines.append(f"  data: {clean(made.data, 200)}")
        lines += [f"  {clean(each.table, 60)}: {clean(diff_headline(each), 200)}" for each in made.diffs]
        took = units.duration(made.seconds)
        lines.append(
            f"  took: {took}{f', {made.price:.4f} {clean(made.currency, 12)}' if made.price is not None else ''}"
        )
        lines.append(f"  gate: {made.outcome}: {clean(made.headline, 600)}")
        if made.why:
            lines.append(f"  refused: {clean(made.why, 1_000)}")
    if done.url:
        lines.append(f"  {done.url}")
    lines += [f"  problem: {clean(each, 600)}" for each in done.problems]
    return "\n".join(lines) + "\n"


def render_summary(done: Retraining) -> str:
    """The same for the page of a job, as Markdown."""
    lines = [f"### {markdown_text(done.model, 60)}: {markdown_prose(done.headline, 1_000)}", ""]
    if done.decision is not None:
        lines += [f"- asks: {markdown_prose(each.why, 600)}" for each in done.decision.triggers]
        lines += [f"- holds back ({each.guard}): {markdown_prose(each.why, 600)}" for each in done.decision.held]
    made = done.challenger
    if made is not None:
        lines += ["", *_diffs(made), *_cost(made), "", *_verdict(made)]
        if made.why:
            lines += ["", f"**Refused**: {markdown_prose(made.why, 1_000)}"]
    lines += [f"- problem: {markdown_prose(each, 600)}" for each in done.problems]
    return "\n".join(lines) + "\n\n"
