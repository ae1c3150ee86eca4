"""The tables of guarantees.md, out of the numbers in simulations.json."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scipy.special import betaincinv

from mlci.judge.easeml import bennett, parse, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Numbers = dict[str, dict[str, dict[str, Any]]]
"""Cells by their name, by row, by table."""
Cell = list[int]
"""Hits and runs."""
_NEARLY = 0.0005


def between(cell: Cell) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share: the Monte-Carlo error."""
    hits, runs = cell
    low = float(betaincinv(hits, runs - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, runs - hits, 0.975)) if hits < runs else 1.0
    return low, high


def percent(share: float) -> str:
    """With one decimal, or two where one would say never or always of what is neither."""
    if share in {0.0, 1.0}:
        return f"{100 * share:.0f}"
    near = min(share, 1 - share) < _NEARLY
    return f"{100 * share:.2f}" if near else f"{100 * share:.1f}"


def told(cell: Cell) -> str:
    """`4.5 (4.0 to 5.1)`, in percent."""
    low, high = between(cell)
    return f"{percent(cell[0] / cell[1])} ({percent(low)} to {percent(high)})"


def bare(cell: Cell) -> str:
    return percent(cell[0] / cell[1])


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first columns hold words."""
    under = ["---"] * left + ["--:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, under, *rows))


def sized(n: int, q: float) -> str:
    return f"{n:,}, {100 * q:g} %"


def why(numbers: Numbers) -> str:
    rows = []
    for n, change in ((500, 0.0), (2000, 0.0), (2000, -0.01), (2000, -0.02), (2000, -0.03), (10000, 0.0)):
        cells = numbers["why"][f"{n}, 0.05, {change}"]
        points = round(-100 * change)
        true = f"−{points} point{'s' if points > 1 else ''}" if points else "none"
        shown = (cells[name] for name in ("compared", "threshold", "mid_p", "hoeffding"))
        rows.append((sized(n, 0.05), true, *map(told, shown)))
    head = ("rows, q", "true change", "`new >= old`", "`drop > 1 point`", "McNemar's mid-p", "Hoeffding's bound")
    slices = (
        f"20 slices of 500 rows, no change, `drop > 1 point` on each: {told(numbers['why']['20 slices']['threshold'])}."
    )
    return f"{table(head, rows, 2)}\n\n{slices}"


def outcomes(numbers: Numbers) -> str:
    rows = []
    for n, q in ((500, 0.05), (2000, 0.02), (2000, 0.05), (10000, 0.05)):
        cells = [numbers["outcomes"][f"{n}, {q}, {points}"] for points in (0, 1, 2)]
        rows.append(
            (sized(n, q), *(" / ".join(bare(cell[name]) for name in ("fails", "open", "passes")) for cell in cells))
        )
    return table(("rows, q", "no change", "−1 point", "−2 points"), rows)


METRIC_NAMES = {"macro_f1": "macro F1", "rmse": "RMSE", "r2": "R²"}


def metrics(numbers: Numbers) -> str:
    rows = []
    for case, cells in sorted(numbers["metrics"].items(), key=lambda item: _natural(item[0])):
        name, comma, rest = case.partition(",")
        loss = "0" if name in METRIC_NAMES else "tolerance"
        rows.append((METRIC_NAMES.get(name, name) + comma + rest, loss, told(cells["fails"]), told(cells["passes"])))
    return table(("metric", "true loss for *passes*", "fails at no change", "passes"), rows, 2)


def _natural(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part.casefold() for part in re.split(r"(\d+)", text)]


LAYOUTS = {
    "equal": "20 slices of 500 rows, apart",
    "uneven": "20 slices of 30 to 5,500 rows, apart",
    "overlapping": "all rows, and 19 slices that overlap",
    "small": "200 slices of 40 rows",
}


def slices(numbers: Numbers) -> str:
    rows = [
        (words, *(told(numbers["slices"][name][column]) for column in ("ours", "uncorrected", "threshold")))
        for name, words in LAYOUTS.items()
    ]
    return table(("slices", "mlci (Tarone–Holm)", "each at 5 %", "`drop > 1 point`"), rows)


def contrast(numbers: Numbers) -> str:
    found, many = numbers["false discoveries"]["5 of 20 slices bad"], next(iter(numbers["many small slices"].values()))
    rows = [
        ("a good slice is blocked while 5 of 20 are bad", told(found["ours"]), told(found["theirs"]), "–"),
        ("3 points lost on 500 rows are caught beside 200 slices of 40", told(many["ours"]), "–", told(many["holm"])),
    ]
    return table(("what happens", "mlci (Tarone–Holm)", "Benjamini–Hochberg", "Holm alone"), rows)


def groups(numbers: Numbers) -> str:
    names = {"accuracy": "accuracy", "f1": "F1", "log_loss": "log loss", "roc_auc": "ROC AUC"}
    rows = [
        (words, told(numbers["groups"][key]["groups"]), told(numbers["groups"][key]["rows"]))
        for key, words in names.items()
    ]
    return table(("metric", "with `group`", "as if they were rows"), rows)


def floors(numbers: Numbers) -> str:
    rows = [
        (f"{int(n):,} rows", told(numbers["floors"][n]["fails"]), told(numbers["floors"][n]["passes"]))
        for n in ("100", "1000")
    ]
    ends = numbers["floors"]["88 of 100"]
    said = f"88 right of 100: {100 * ends['low']:.1f} to {100 * ends['high']:.1f} %, which is inconclusive."
    return f"{table(('test set', 'fails', 'passes'), rows)}\n\n{said}"


def beyond(numbers: Numbers) -> str:
    share = told(next(iter(numbers["beyond the tolerance"].values()))["fails"])
    what = "`fail_when: worse_than_tolerance`, three checks, a true loss of exactly the tolerance"
    return f"{what}: blocked in {share} % of the runs."


def drops(numbers: Numbers) -> str:
    rows = []
    for n in (500, 2000, 10000):
        alone, first = numbers["drops"][f"{n}, 1"], numbers["drops"][f"{n}, 20"]
        rows.append(
            (f"{n:,}", *(word for one in (alone, first) for word in (f"{100 * one['drop']:.1f}", told(one["caught"]))))
        )
    return table(("rows", "drop, alone", "caught, %", "drop, first of 20 checks", "caught, %"), rows)


def retries(numbers: Numbers) -> str:
    rows = []
    for n, q in ((2000, 0.02), (2000, 0.05), (10000, 0.05)):
        first, last = (numbers["retries"][f"{n}, {q}, {tries}"] for tries in (1, 50))
        rows.append(
            (sized(n, q), *(told(last[name]) for name in ("budget", "without", "threshold")), told(first["without"]))
        )
    head = ("rows, q", "`critical`, 50 planned", "ordinary", "`drop > 1 point`", "ordinary, one try")
    return table(head, rows)


def looks(numbers: Numbers) -> str:
    rows = [
        (case, f"{count}", *(told(numbers["looks"][f"{case}, {count}"][name]) for name in ("counted", "uncounted")))
        for case in ("new models", "variants of one model")
        for count in (1, 2, 5, 10)
    ]
    return table(("candidates", "looks", "each look spends half", "each look at 5 %"), rows, 2)


def easeml(_: Numbers) -> str:
    """What ease.ml/ci's formulas ask for, computed by `mlci plan`'s functions."""
    rows = []
    for confidence, eps in ((".99", 0.1), (".99", 0.05), (".9999", 0.05), (".9999", 0.01)):
        risk = 1 - float(confidence)
        conditions = parse(f"n > 0.8 +/- {eps}"), parse(f"n - o > 0.02 +/- {eps}")
        cells = [
            f"{rows_of(condition, risk, steps=32, adaptivity=kind):,}"
            for condition in conditions
            for kind in ("none", "full")
        ]
        rows.append((f"{confidence}, {eps:g}", *cells))
    none, full = (bennett(0.01, 1e-4, 0.1, steps=32, adaptivity=kind) for kind in ("none", "full"))
    rows.append((".9999, 0.01, a tenth changed", "–", "–", f"{none.rows:,}", f"{full.rows:,}"))
    head = ("1 − δ, ε", "`n`, none", "`n`, full", "`n - o`, none", "`n - o`, full")
    labels = f"Labels per commit where a tenth of the predictions changed: {none.labels_per_commit:,}."
    return f"{table(head, rows)}\n\n{labels}"


def monitoring(numbers: Numbers) -> str:
    """Years without a change that are alarmed, and days until a change is seen."""
    years, rate, delay = (numbers[f"monitored {name}"] for name in ("years", "rate", "delay"))
    quiet = [(f"20 features, 3 rates, {int(n):,} rows a day", told(years[n]["ever"])) for n in ("50", "200", "1000")]
    for known, words in (("well", "without error"), ("by 10,000 rows", "of 10,000 rows")):
        quiet += [
            (f"one rate, reference {words}, {n} rows a day", told(rate[f"{known}, {n}"]["ever"]))
            for n in (100, 200, 500)
        ]
    cases = {
        "one": "alone, reference without error",
        "half": "half of α, reference without error",
        "sampled": "half of α, reference of 50,000 rows",
    }
    seen = [
        (
            words,
            *(f"{delay[f'{name}, {n}']['median']:.0f} / {delay[f'{name}, {n}']['late']:.0f}" for n in (100, 200, 500)),
        )
        for name, words in cases.items()
    ]
    daily = numbers["daily p-values"]["200"]
    return (
        f"{table(('no change', 'years with an alarm'), quiet)}\n\n"
        "Days until 3 points less than 90 % raise an alarm, after half a year without a change: median / 90th "
        "percentile.\n\n"
        f"{table(('accuracy', '100 labels a day', '200', '500'), seen)}\n\n"
        f"Beside it, p < .05 looked at every day of a year without a change: {daily['accuracy']:.0f} alarms for one "
        f"accuracy, {daily['features']:.0f} for 20 features by Kolmogorov–Smirnov; years without any: "
        f"{told(daily['never'])} %."
    )


TABLES = {
    each.__name__: each
    for each in (
        why,
        outcomes,
        metrics,
        slices,
        contrast,
        groups,
        floors,
        beyond,
        drops,
        retries,
        looks,
        easeml,
        monitoring,
    )
}


def filled(page: str, numbers: Numbers) -> str:
    """The page with every block between `<!-- simulated: NAME -->` and `<!-- end -->` made anew."""
    return re.sub(
        r"(?<=<!-- simulated: )(\w+) -->\n.*?(?=<!-- end -->)",
        lambda found: f"{found[1]} -->\n{TABLES[found[1]](numbers)}\n",
        page,
        flags=re.DOTALL,
    )
