"""What became of labels: for a terminal, and as a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.diff import render_diffs
from mlci.render.text import clean, markdown_code, markdown_prose, markdown_text

if TYPE_CHECKING:
    from mlci.nouns.feedback import Collected, Conflict

_MOST = 20
_DECIDE = (
    "Write the label that counts into the column `decision` of {}, on this branch or the one that it is merged into; "
    "the next run takes it. Until then these rows are left out."
)
_RULES = {
    "newest": "the newest counts",
    "majority": "most of them count",
    "sources": "the most trusted source counts",
    "hand": "a person decided",
}


def marker(model: str) -> str:
    """The hidden line at which the pull request is known."""
    return f"<!-- mlci feedback {model} -->"


def mark_of(digest: str) -> str:
    """A hidden line that names the content, so that what a person closed is not offered again unchanged."""
    return f"<!-- mlci feedback data {digest} -->"


def headline(found: Collected) -> str:
    """What was collected, in one line."""
    told = [f"{units.count(found.new)} new {_rows(found.new)}"]
    if found.changed:
        told.append(f"{units.count(found.changed)} corrected")
    if found.open:
        told.append(f"{units.count(len(found.open))} to be decided by a person")
    return f"{found.model}: {', '.join(told)}"


def _rows(count: int) -> str:
    return "labelled row" if count == 1 else "labelled rows"


def facts(found: Collected) -> list[str]:
    """What is worth knowing, a sentence each; sources and labels may be hostile."""
    told = [f"{found.table} has {units.count(found.rows)} rows."]
    if found.sources:
        told.append(f"Labels by source: {', '.join(f'{name} {units.count(n)}' for name, n in found.sources.items())}.")
        told.append(f"By value: {', '.join(f'{name} {units.count(n)}' for name, n in found.classes.items())}.")
    wrong = found.wrong
    if wrong.false_negatives or wrong.false_positives:
        told.append(
            f"The model in service missed {units.count(wrong.false_negatives)} of the new rows that were positive, and "
            f"was wrong about {units.count(wrong.false_positives)} that were not."
        )
    elif wrong.wrong:
        told.append(f"The model in service was wrong about {units.count(wrong.wrong)} of the new rows.")
    if found.decided:
        told.append(f"{units.count(len(found.decided))} contradictions were decided; all are listed.")
    if found.waiting:
        told.append(f"{units.count(found.waiting)} labels are too young, and wait.")
    if found.unknown_count:
        names = ", ".join(found.unknown[:3])
        told.append(f"{units.count(found.unknown_count)} labels are of predictions that no log has: {names}.")
    if found.private:
        told.append(f"Private inputs are left out: {', '.join(found.private)}.")
    return told


def render_terminal(found: Collected) -> str:
    """What became of the labels, in a few lines."""
    lines = [clean(headline(found)), "", *(f"  {clean(each, 400)}" for each in facts(found))]
    for title, conflicts in (("to be decided", found.open), ("decided", found.decided)):
        if conflicts:
            lines += ["", f"contradictions, {title}:"]
            lines += [f"  {clean(each.id, 60)}: {clean(_said(each), 300)}" for each in conflicts[:_MOST]]
            lines += [f"  and {len(conflicts) - _MOST} more"] if len(conflicts) > _MOST else []
    if found.diffs:
        lines += ["", render_diffs(found.diffs).rstrip()]
    if found.url:
        lines += ["", f"pull request {found.action}: {found.url}"]
    return "\n".join(lines) + "\n"


def pull_title(found: Collected) -> str:
    """Of the pull request."""
    return f"Labels of {found.model}: {units.count(found.new)} new, {units.count(found.changed)} corrected"


def pull_body(found: Collected, digest: str, conflicts_file: str, reproduced: str) -> str:
    """What a reviewer needs; the same labels give the same text."""
    lines = [
        mark_of(digest),
        f"**{markdown_text(headline(found))}**, collected from production.",
        "",
        *(f"- {markdown_prose(each, 600)}" for each in facts(found)),
        f"- {reproduced}",
        "",
    ]
    if found.open:
        lines += [
            f"### {units.count(len(found.open))} contradictions to decide",
            "",
            _DECIDE.format(markdown_code(conflicts_file)),
            "",
            *_table(found.open),
        ]
    if found.decided:
        lines += ["<details><summary>Contradictions that were decided</summary>", "", *_table(found.decided)]
        lines += ["</details>", ""]
    if found.diffs:
        lines += ["<details><summary>What changed in the data</summary>", "", "```text"]
        lines += [render_diffs(found.diffs).rstrip().replace("```", "'''"), "```", "</details>", ""]
    lines.append(
        "<sub>Every row says in its own columns who gave its label, when, what decided, and which version of the model "
        "had predicted what. Closing this refuses these labels until others come.</sub>"
    )
    return "\n".join(lines)


def _table(conflicts: tuple[Conflict, ...]) -> list[str]:
    lines = ["| prediction | said | counts |", "|---|---|---|"]
    for each in conflicts[:_MOST]:
        settled = each.settled
        counts = f"{markdown_code(str(settled.label), 40)}: {_RULES[settled.rule]}" if settled is not None else ""
        lines.append(f"| {markdown_code(each.id, 60)} | {markdown_text(_said(each)[:300])} | {counts} |")
    if len(conflicts) > _MOST:
        lines.append(f"| and {len(conflicts) - _MOST} more | | |")
    return [*lines, ""]


def _said(conflict: Conflict) -> str:
    return "; ".join(f"{each.label} by {each.source or 'nobody named'} on {each.at:%Y-%m-%d}" for each in conflict.said)


def commit_message(found: Collected) -> str:
    """Of the commit that holds the labels."""
    return f"Collect {found.new} new and {found.changed} corrected labels of {found.model}\n"
