"""Propose what to promise of a table, from what its rows look like: the YAML of `mlci.data.<name>`."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import TYPE_CHECKING

from mlci.nouns.yaml_text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.nouns.data_policy import Type
    from mlci.nouns.profile import ColumnProfile, TableProfile
    from mlci.nouns.table_schema import Kind

_TYPES: dict[Kind, Type] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "decimal": "number",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "date": "date",
}
_KEYLIKE = re.compile(r"(^|.*[^a-z])(id|key|uuid|guid|hash|no|number)$|.*(Id|ID|Key)$", re.IGNORECASE)
_CLASSES = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}
_LONGEST_PATTERN = 40
_ENOUGH = 20
"""Rows from which a form that all texts share is more than chance."""
_OLDEST_DAYS = 366
"""A table whose newest row is older is an archive, of which no freshness is promised."""
_LARGEST = Decimal("1.7e308")


def likely_patterns(profile: TableProfile) -> dict[str, str]:
    """Columns of texts that may share one form, and that form as a regular expression; to be tried on all rows."""
    found = {}
    for column in profile.columns:
        if column.kind != "string" or column.low is None or column.shortest != column.longest:
            continue
        many = column.distinct > 1 and profile.rows - column.missing >= _ENOUGH
        if many and not _listed(column, profile.rows) and (pattern := _pattern(column.low)):
            found[column.name] = pattern
    return found


def propose(
    profile: TableProfile,
    name: str,
    now: datetime,
    *,
    patterns: Mapping[str, str] | None = None,
    id_column: str | None = None,
    label: str | None = None,
) -> str:
    """The proposal as YAML, with a comment beside each line that says what was seen.

    It holds for the table that it was made from, with head-room: 10 % of the rows fewer, a quarter more values
    missing, ranges wider by a tenth of their span.

    Args:
        profile: What the table looks like; it has rows.
        name: Name of the table in the policy.
        now: The moment that freshness is seen from.
        patterns: Regular expressions that all texts of a column match.
        id_column: Column that joins predictions and labels.
        label: Column that is predicted.
    """
    lines = [
        "mlci:",
        "  data:",
        f"    {quoted(name)}:",
        f"      path: {quoted(profile.path)}",
        _commented(f'      rows: ">= {_fewer(profile.rows):_}"', f"{profile.rows:,} seen"),
        *_fresh(profile, now),
        # A key with nothing but comments below it would be null.
        "      columns:" if any(column.name != "*" for column in profile.columns) else "      columns: {}",
    ]
    for column in profile.columns:
        roles = [role for role, mine in (("the id", id_column), ("the label", label)) if mine == column.name]
        lines.append(_column(column, profile.rows, roles, (patterns or {}).get(column.name)))
    lines.append("      # drift: {reference: data/reference.parquet, ks: 0.1, psi: 0.1, level: warn}")
    return "\n".join(lines) + "\n"


def _commented(line: str, comment: str) -> str:
    safe = "".join(char if char.isprintable() else "?" for char in comment)
    return f"{line}  # {safe}" if safe else line


def _fewer(rows: int) -> int:
    """Nine tenths of the rows, rounded down to two digits.

    >>> _fewer(336_776), _fewer(7)
    (300000, 6)
    """
    fewer = rows * 9 // 10
    step = int(10 ** max(0, len(str(fewer)) - 2))
    return max(1, fewer // step * step)


def _fresh(profile: TableProfile, now: datetime) -> list[str]:
    """Freshness of the first column of times that ends before now; a comment where the table is an archive."""
    for column in profile.columns:
        if column.newest is None or column.infinite:
            continue
        days = (now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400 - column.newest / 86_400
        if days < 0:
            continue
        within = _limit_days(days)
        line = f"fresh: {{column: {quoted(column.name)}, within: {within}d}}"
        seen = f"newest {column.high}"
        return [_commented(f"      {line}" if days <= _OLDEST_DAYS else f"      # {line}", seen)]
    return []


def _limit_days(days: float) -> int:
    """Half as long again, and a day, in a round number.

    >>> _limit_days(0.5), _limit_days(30.2)
    (2, 50)
    """
    limit = math.ceil(days * 1.5 + 1)
    step = 1 if limit < 10 else 10 if limit < 100 else 100  # noqa: PLR2004 - powers of ten
    return -(-limit // step) * step


def _column(column: ColumnProfile, rows: int, roles: list[str], pattern: str | None) -> str:
    """The promises about one column on one line."""
    if column.name == "*":
        return _commented("        #", "a column named * can't be spoken of: the policy means all columns by it")
    promises: list[str] = []
    seen = list(roles)
    if column.kind in _TYPES:
        promises.append(f"type: {_TYPES[column.kind]}")
    if column.unique and (roles[:1] == ["the id"] or column.kind == "string" or _KEYLIKE.fullmatch(column.name)):
        promises.append("unique: true")
    elif column.unique is False:
        seen.append("values repeat")
    if column.missing == rows:
        return _written(column.name, promises, [*seen, "all missing"])
    promises.append(f"missing: {_more_missing(column.missing, rows)}")
    if column.missing:
        seen.append(f"{column.missing:,} of {rows:,} missing")
    more, what = _values(column, rows, pattern, keyed="unique: true" in promises)
    return _written(column.name, [*promises, *more], [*seen, *what])


def _written(name: str, promises: list[str], seen: list[str]) -> str:
    return _commented(f"        {quoted(name)}: {{{', '.join(promises)}}}", "; ".join(seen))


def _more_missing(missing: int, rows: int) -> str:
    """A quarter more than was seen, rounded up to one digit (two from 10 %).

    >>> _more_missing(0, 10), _more_missing(3, 100), _more_missing(1, 3000), _more_missing(9, 10)
    ('0%', '4%', '0.05%', '100%')
    """
    percent = Decimal(125) * missing / rows
    if not missing:
        return "0%"
    step = Decimal(10) ** min(0, percent.adjusted())
    limit = min(Decimal(100), (percent / step).to_integral_value(ROUND_CEILING) * step)
    return f"{limit:f}%"


def _values(column: ColumnProfile, rows: int, pattern: str | None, *, keyed: bool) -> tuple[list[str], list[str]]:
    """Promises about the values, and what was seen of them."""
    match column.kind:
        case "string":
            return _texts(column, rows, pattern)
        case "integer" | "float" | "decimal":
            return _numbers(column, keyed=keyed)
        case "boolean":
            return [], [f"{(column.true or 0) / (rows - column.missing):.1%} true"]
        case "timestamp" | "date":
            return [], [f"{column.low} to {column.high}"] if column.low is not None else []
        case "other":
            return [], [f"{column.type_name}: nested values can't be checked"]


def _numbers(column: ColumnProfile, *, keyed: bool) -> tuple[list[str], list[str]]:
    if column.low is None or column.high is None:
        return [], ["all infinite"]
    low, high = (f"{float(end):.6g}" if column.kind == "float" else end for end in (column.low, column.high))
    seen = [f"{low} to {high}"]
    if column.infinite:
        return [], [*seen, f"{column.infinite:,} infinite: no range holds"]
    if keyed:
        return [], seen
    if column.low == column.high:
        return [], [f"always {low}"]
    wider = _wider(Decimal(column.low), Decimal(column.high))
    ends = [_number(end, whole=column.kind == "integer") for end in wider]
    return [f"range: [{', '.join(ends)}]"], seen


def _wider(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """A range with head-room of a tenth of its span, rounded to two digits of it; it does not cross zero.

    >>> [int(end) for end in _wider(Decimal(80), Decimal(4983))]
    [0, 5500]
    """
    if low >= 0 and high <= 1:
        return Decimal(0), Decimal(1)
    with localcontext(prec=400):
        span = high - low
        step = Decimal(1).scaleb(span.adjusted() - 1)
        wide_low = ((low - span / 10) / step).to_integral_value(ROUND_FLOOR) * step
        wide_high = ((high + span / 10) / step).to_integral_value(ROUND_CEILING) * step
    return (
        Decimal(0) if low >= 0 > wide_low else wide_low,
        Decimal(0) if high <= 0 < wide_high else wide_high,
    )


def _number(value: Decimal, *, whole: bool) -> str:
    """A number in YAML; an end that no double reaches is left open."""
    if abs(value) > _LARGEST:
        return "null"
    if whole or -4 <= value.adjusted() <= 15 or not value:  # noqa: PLR2004 - readable without an exponent
        rounded = value.to_integral_value(ROUND_FLOOR if value < 0 else ROUND_CEILING) if whole else value
        return f"{rounded.normalize() + 0:f}"
    return repr(float(value))


def _listed(column: ColumnProfile, rows: int) -> bool:
    """Whether the texts are categories: few, and each seen about three times or more."""
    return column.values is not None and rows - column.missing >= 3 * len(column.values)


def _texts(column: ColumnProfile, rows: int, pattern: str | None) -> tuple[list[str], list[str]]:
    if column.values is not None and _listed(column, rows):
        if all(value.isprintable() for value in column.values):
            listed = ", ".join(quoted(value) for value in sorted(column.values))
            return [f"allowed: [{listed}]"], [f"{len(column.values)} values"]
        return [], [f"{len(column.values)} values, with control characters"]
    seen = f"about {column.distinct:,} values"
    if pattern:
        return [f"pattern: {_single_quoted(pattern)}"], [seen]
    if column.shortest == column.longest and rows - column.missing >= _ENOUGH:
        return [f"length: {column.longest}"], [seen]
    sizes = f"{column.shortest} to {column.longest} characters"
    return [f'length: "<= {_longer(column.longest or 0)}"'], [f"{seen} of {sizes}"]


def _longer(longest: int) -> int:
    """Twice as long, rounded up to one digit.

    >>> _longer(0), _longer(17)
    (10, 40)
    """
    twice = max(2 * longest, 10)
    step = int(10 ** (len(str(twice)) - 1))
    return -(-twice // step) * step


def _pattern(text: str) -> str | None:
    """A regular expression for texts of this form; None where it would say nothing or could not be read.

    >>> _pattern("JFK-2013")
    '[A-Z]{3}-[0-9]{4}'
    """
    if len(text) > _LONGEST_PATTERN or not text.isascii() or not text.isprintable() or not text:
        return None
    shape = re.sub("[0-9]", "9", re.sub("[a-z]", "a", re.sub("[A-Z]", "A", text)))
    if not re.search("[Aa9]", shape):
        return None
    found = []
    for run in re.finditer(r"(.)\1*", shape):
        one, times = _CLASSES.get(run[1]) or re.sub(r"[][\\.^$*+?{}|()]", r"\\\g<0>", run[1]), len(run[0])
        found.append(one if times == 1 else f"{one}{{{times}}}")
    return "".join(found)


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
