"""Reports as the flows make them, for golden files and for looking at: flights, and one that is all hostile."""

from functools import partial

import budget_findings
import numpy as np

from mlci.judge.headline import footer, headline, overall
from mlci.judge.pipeline import pipeline_findings
from mlci.judge.recipe import Draws, recipe_change, spread
from mlci.judge.recipe_words import metric_words, model_only
from mlci.judge.words import gate_mend, gate_message, gate_title
from mlci.judge.words_beats import beats_message
from mlci.nouns.base import Place
from mlci.nouns.comment import Spent
from mlci.nouns.finding import (
    Comparison,
    DataEvidence,
    Digests,
    Finding,
    Flips,
    GateEvidence,
    Rows,
    Verdict,
)
from mlci.nouns.pipeline import Reproduced, StageRun, Unpushed
from mlci.nouns.report import (
    Charts,
    ColumnDiff,
    Curve,
    DataDiff,
    DriftBar,
    GroupRate,
    Histogram,
    MetricRow,
    Report,
    RowChange,
    SeedDots,
    SliceChange,
    Timing,
    WeakSlice,
)
from mlci.nouns.training import Recipe, RecipeMetric

CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
BASE = "5f1e0c9a7d3b4e2f8a6c1d0b9e8f7a6b5c4d3e2f"


def gate(outcome, line, *, level="block", critical=False, trained=None, **given):
    evidence = GateEvidence(**{"kind": "change", "baseline": "merge-base", "tests": 20} | given)
    beside = evidence.kind == "beats" and outcome != "not_measured"
    told = partial(beats_message, alpha=0.05, beta=0.05, trained=trained) if beside else gate_message
    return Finding(
        check=f"gate.{evidence.metric}" + (f".{evidence.slice}" if evidence.slice else ""),
        title=gate_title(evidence),
        area="gate",
        level=level,
        critical=critical,
        outcome=outcome,
        message=told(evidence, outcome),
        mend=gate_mend(evidence, outcome),
        place=Place(file="params.yaml", line=line),
        gate=evidence,
    )


def data(check, title, message, outcome="pass", line=12, level="block", mend="", **evidence):
    return Finding(
        check=f"data.flights.{check}",
        title=title,
        area="data",
        level=level,
        outcome=outcome,
        message=message,
        mend=mend,
        place=Place(file="params.yaml", line=line),
        data=DataEvidence(**{"table": "flights", "rows": 336_776} | evidence),
    )


ACCURACY = gate(
    "pass", 41, metric="accuracy", rows=27_004, old=0.8102, new=0.8124, gained=612, lost=553, worst=0.0, tolerance=0.01,
    low=-0.0002, high=0.0046, p_value=0.96, limit="drop <= 0.01",
)  # fmt: skip
AUC = gate(
    "pass", 40, metric="roc_auc", rows=27_004, old=0.7171, new=0.7163, worst=0.0031, tolerance=0.01,
    low=-0.0031, high=0.0015, p_value=0.28, critical=True, limit="drop <= 0.01",
)  # fmt: skip
COST = gate(
    "pass", 42, metric="cost", rows=27_004, old=0.571, new=0.566, worst=0.0009, tolerance=0.0114,
    low=-0.0109, high=0.0009, p_value=0.9, limit="rise <= 2%",
)  # fmt: skip
FLOOR = gate(
    "pass", 41, metric="accuracy", kind="value", baseline=None, rows=27_004, new=0.8124, low=0.8085, high=0.8163,
    bound=0.75, limit="floor 0.75",
)  # fmt: skip
BAD_SLICE = gate(
    "fail", 45, metric="accuracy", slice="origin = JFK", rows=8_604, old=0.8321, new=0.8204, gained=98, lost=199,
    worst=0.0151, tolerance=0.01, p_value=3.1e-9, p_adjusted=6.2e-8, limit="drop <= 0.01",
)  # fmt: skip
OPEN = gate(
    "inconclusive", 41, metric="accuracy", rows=2_000, old=0.901, new=0.894, gained=44, lost=58, worst=0.016,
    tolerance=0.01, p_value=0.083, p_adjusted=1.0, more_rows=1_150, more_labels=59, limit="drop <= 0.01",
)  # fmt: skip
SMALL_SLICE = gate(
    "too_small", 45, metric="accuracy", slice="carrier = OO", rows=29, old=0.7931, new=0.7586, gained=0, lost=1,
    detectable=0.21, limit="drop <= 0.01",
)  # fmt: skip

ROWS = data("rows", "at least 10,000 rows", "336,776 rows.", measured=336_776, limit=">= 10_000")
TYPES = data("distance.type", "distance is an integer", "All 336,776 values are integers.", column="distance")
RANGE = data("distance.range", "distance lies in [10, 6000]", "All rows do.", column="distance", count=0, share=0.0)
CARRIER = data(
    "carrier.allowed", "carrier is one of 16 values", "37 rows have another value: ZZ (30), XX (7).",
    "fail", 24, "warn", "Add the new carriers to `allowed`, or correct the rows.",
    column="carrier", count=37, share=0.00011,
    examples=Rows(columns=("flight_id", "carrier", "origin"), rows=(("2013-04-01-ZZ-17", "ZZ", "JFK"),)),
)  # fmt: skip
MISSING = data(
    "distance.missing", "distance is at most 5 % missing",
    "20,880 of 336,776 rows (6.2 %) are missing; the limit is 5 %.",
    "fail", 21, mend="Fill the column upstream, or raise `missing` in a pull request of its own.",
    column="distance", count=20_880, share=0.062, limit="<= 5%",
    examples=Rows(
        columns=("flight_id", "scheduled", "carrier", "origin", "dest", "distance"),
        rows=tuple((f"2013-04-{day:02}-B6-{day * 37}", f"2013-04-{day:02} 06:15", "B6", "JFK", "BOS", None)
                   for day in range(1, 8)),
    ),
)  # fmt: skip

METRICS = (
    MetricRow(metric="accuracy", new=0.8124, old={"merge-base": 0.8102, "release": 0.8040}),
    MetricRow(metric="roc_auc", new=0.7163, old={"merge-base": 0.7171, "release": 0.7060}),
    MetricRow(metric="log_loss", new=0.4391, old={"merge-base": 0.4402, "release": None}),
    MetricRow(metric="cost", new=0.566, old={"merge-base": 0.571, "release": 0.590}),
    MetricRow(metric="ece", new=0.0112, old={"merge-base": 0.0148, "release": 0.0301}, low=0.0071, high=0.0163),
)
DIFF = DataDiff(
    table="flights", old="5f1e0c9", new="work tree", rows_old=108_512, rows_new=137_216, added=28_796, removed=92,
    changed=14,
    columns=(
        ColumnDiff(column="wind_gust", what="added", new={"type": "float", "missing": "22 %"}),
        ColumnDiff(column="temp", what="shifted", old={"mean": "41.3", "missing": "0.2 %"},
                   new={"mean": "47.9", "missing": "0.2 %"}, changed=14, note="KS distance 0.21"),
        ColumnDiff(column="origin", what="same"),
    ),
    examples=(RowChange(id="2013-03-09-DL-410", column="temp", old="41.0", new=None),),
)  # fmt: skip
WEAK = (
    WeakSlice(slice="origin = JFK, distance 1400 to 2586", rows=1_412, than="elsewhere", measured=0.3102, excess=0.114,
              low=0.091, high=0.137),
    WeakSlice(slice="carrier = EV, temp 17 to 39", rows=608, than="elsewhere", measured=0.2763, excess=0.071,
              low=0.038, high=0.104),
    WeakSlice(slice="carrier = OO", rows=41, than="elsewhere", measured=0.2927, excess=0.052, low=0.001, high=0.103),
    WeakSlice(slice="origin = JFK", rows=8_604, than="before", baseline="merge-base", measured=0.0117, excess=0.0108,
              low=0.0072, high=0.0144),
)  # fmt: skip
WEAK_REGRESSION = (
    WeakSlice(slice="region = north", rows=230, than="elsewhere", measure="absolute error", measured=14.72, excess=3.1,
              low=1.9, high=4.3),
    WeakSlice(slice="region = north", rows=230, than="before", baseline="merge-base", measure="absolute error",
              measured=1.31, excess=1.02, low=0.2, high=1.84),
)  # fmt: skip


def rates(groups=(("F", 13_411), ("M", 13_502), ("not stated", 91))):
    every = {  # rate of each group, and of all others
        "selection rate": ((0.182, 0.1701, 0.2198), (0.1705, 0.1822, 0.1762)),
        "true positive rate": ((0.612, 0.641, 0.5833), (0.6407, 0.6121, 0.6264)),
        "false positive rate": ((0.0921, 0.0908, 0.1188), (0.0909, 0.092, 0.0914)),
    }
    made = []
    for kind, (own, others) in every.items():
        for (name, rows), rate, other in zip(groups, own, others, strict=True):
            half = 1.4 * (rate * (1 - rate) / rows) ** 0.5
            since = {"before": rate - 0.012, "change": 0.012, "change_low": 0.012 - half, "change_high": 0.012 + half}
            made.append(
                GroupRate(
                    kind=kind, group=f"sex = {name}", rows=rows, rate=rate, low=rate - 1.4 * half,
                    high=rate + 1.4 * half, difference=rate - other, difference_low=rate - other - 1.5 * half,
                    difference_high=rate - other + 1.5 * half, **since,
                )
            )  # fmt: skip
    return tuple(made)


REPEAT = ("git checkout 0b9e8f7a6b", "make setup", "dvc repro", "mlci compare --baseline merge-base", "mlci report")


def flips(lost_at_jfk=199):
    example = Rows(
        columns=("flight_id", "disrupted", "old score", "new score"),
        rows=tuple(
            (f"2013-05-{day:02}-DL-{400 + day}", "true", f"0.{210 + day}", f"0.{190 - day}") for day in range(1, 6)
        ),
    )
    every = [Flips(rows=27_004, gained=612, lost=553, examples=example)]
    by_origin = [("EWR", 9_893, 301, 166), ("JFK", 8_604, 98, lost_at_jfk), ("LGA", 8_507, 213, 188)]
    every += [
        Flips(slice=f"origin = {name}", rows=rows, gained=gained, lost=lost) for name, rows, gained, lost in by_origin
    ]
    return tuple(every)


def compared(**given):
    return Comparison(
        **{
            "baseline": "merge-base", "status": "compared", "commit": BASE, "model": "ab" * 32, "rows": 27_004,
            "leaked": 12, "rescored": True, "flips": flips(),
        } | given
    )  # fmt: skip


def slice_changes(metric="accuracy", tolerance=0.01, scale=1.0):
    rng = np.random.default_rng(7)
    made = []
    names = [f"origin = {origin}" for origin in ("EWR", "JFK", "LGA")] + [f"carrier = {name}" for name in CARRIERS]
    for name in names:
        rows = int(rng.integers(30, 9_000))
        change, half = rng.normal(0.002, 0.006), 0.55 / rows**0.5
        outcome = "pass" if change - half > -tolerance else "inconclusive"
        if name == "origin = JFK":
            rows, change, half, outcome = 8_604, -0.0117, 0.0033, "fail"
        if name == "carrier = OO":
            rows, change, half, outcome = 29, -0.0345, 0.1, "too_small"
        made.append(
            SliceChange(
                metric=metric, slice=name, baseline="merge-base", rows=rows, change=scale * change,
                low=min(scale * (change - half), scale * (change + half)),
                high=max(scale * (change - half), scale * (change + half)), outcome=outcome,
                tolerance=tolerance if metric == "accuracy" else round(tolerance * (1 + rows % 5 / 10), 4),
            )
        )  # fmt: skip
    return tuple(made)


def curves():
    made = []
    rng = np.random.default_rng(3)
    for model, shift in (("merge-base", 0.82), ("new", 0.86)):
        positive, negative = rng.normal(shift, 1, 6_000), rng.normal(0, 1, 21_000)
        cuts = np.quantile(np.concatenate([positive, negative]), np.linspace(1, 0, 120))
        tpr = np.array([(positive >= cut).mean() for cut in cuts])
        fpr = np.array([(negative >= cut).mean() for cut in cuts])
        precision = 6 * tpr / np.maximum(6 * tpr + 21 * fpr, 1e-9)
        made.append(Curve(kind="roc", model=model, x=tuple(fpr), y=tuple(tpr)))
        made.append(Curve(kind="pr", model=model, x=tuple(tpr[1:]), y=tuple(precision[1:])))
        mean = np.linspace(0.05, 0.85, 10)
        seen = mean + (0.05 if model == "merge-base" else 0.015) * np.sin(mean * 7)
        made.append(Curve(kind="calibration", model=model, x=tuple(mean), y=tuple(seen), weight=(2_700,) * 10))
    return tuple(made)


def scores():
    edges = np.linspace(0, 1, 31)
    centres = (edges[1:] + edges[:-1]) / 2
    made = []
    for model, tilt in (("merge-base", 1.0), ("new", 1.15)):
        for label, a, b, size in (("on time", 2, 8 * tilt, 21_000), ("disrupted", 3.2 * tilt, 5, 6_000)):
            weights = centres ** (a - 1) * (1 - centres) ** (b - 1)
            counts = tuple(int(number) for number in np.round(size * weights / weights.sum()))
            made.append(Histogram(model=model, label=label, edges=tuple(edges), counts=counts))
    return tuple(made)


DRIFT = tuple(
    DriftBar(table="flights", column=name, measure=measure, value=value, low=low, tolerance=0.1)
    for name, measure, value, low in [
        ("temp", "ks", 0.213, 0.191), ("humid", "ks", 0.087, 0.066), ("wind_speed", "ks", 0.052, 0.031),
        ("distance", "ks", 0.011, 0.0), ("visib", "ks", 0.049, 0.028), ("precip", "ks", 0.018, 0.0),
        ("carrier", "psi", 0.021, 0.012), ("dest", "psi", 0.13, 0.108), ("origin", "psi", 0.002, 0.0),
    ]
)  # fmt: skip

CHARTS = Charts(
    curves=curves(), scores=scores(), drift=DRIFT,
    slices=(*slice_changes(), *slice_changes("cost", 0.0114, -1.3)),
)  # fmt: skip


def report(findings, comparisons=(), *, gates=True, look=None, **given):
    verdict = Verdict(
        project="flights",
        outcome=overall(findings),
        headline=headline(findings, comparisons),
        findings=tuple(findings),
        comparisons=tuple(comparisons),
        tool="mlci 0.1.0",
        commit="0b9e8f7a6b5c4d3e2f5f1e0c9a7d3b4e2f8a6c1d",
        digests=Digests(policy="1f" * 32, model="2e" * 32, predictions="3d" * 32, data={"flights": "4c" * 32}),
        alpha=0.05 if gates else None,
        look=look,
        beta=0.05 if gates else None,
        footer=footer(0.05, 7, 50, look) if gates else "",
    )
    return Report(**{"verdict": verdict, "repeat": REPEAT} | given)


DATA = (ROWS, TYPES, RANGE)
FULL = {"metrics": METRICS, "charts": CHARTS, "diffs": (DIFF,), "weak": WEAK, "fairness": rates()}


def other_slices(outcomes=("pass", "inconclusive")):
    kept = [item for item in CHARTS.slices if item.metric == "accuracy" and item.outcome in outcomes]
    return tuple(
        gate(
            item.outcome, 45, metric="accuracy", slice=item.slice, rows=item.rows, old=0.81, new=0.81 + item.change,
            worst=max(0.0, -item.low), tolerance=0.01, p_value=0.5, limit="drop <= 0.01",
        )
        for item in kept
    )  # fmt: skip


def recipe(name="roc_auc", baseline="merge-base"):
    values = {"2": 0.7151, "3": 0.7178, "4": 0.7166}
    own = Draws(0.7163, spread(tuple(values.values())))
    change = recipe_change(baseline, -0.0008, 0.0012, 27_004, own)
    found = RecipeMetric(metric=name, new=0.7163, seeds=values, spread=own.spread, changes=(change,))
    told = found.model_copy(update={"words": metric_words(found, {"merge-base": "the merge base"}.get)})
    return Recipe(judged="recipe", words=told.words, metrics=(told,))


def dots(given):
    return tuple(
        SeedDots(
            metric=item.metric,
            new=item.new,
            seeds=item.seeds,
            old={each.baseline: item.new - each.change for each in item.changes},
        )
        for item in given.metrics
    )


def passing():
    slices = tuple(item for item in CHARTS.slices if item.outcome in {"pass", "too_small"})
    charts = CHARTS.model_copy(update={"slices": slices, "seeds": dots(recipe())})
    findings = [*DATA, CARRIER, AUC, ACCURACY, COST, FLOOR, *other_slices(["pass"]), SMALL_SLICE]
    return report(findings, [compared(flips=flips(90))], **FULL | {"charts": charts, "recipe": recipe()})


def open_slices():
    return report([*DATA, CARRIER, AUC, ACCURACY, COST, FLOOR, *other_slices(), SMALL_SLICE], [compared()], **FULL)


def failing():
    return report(
        [*DATA, CARRIER, AUC, ACCURACY, COST, FLOOR, BAD_SLICE, *other_slices(), SMALL_SLICE], [compared()], **FULL
    )


def inconclusive():
    met = compared(rows=2_000, leaked=0, rescored=False, flips=())
    return report(
        [*DATA, OPEN],
        [met],
        metrics=METRICS[:1],
        look=3,
        recipe=Recipe(words=model_only("nobody trained it again with other seeds")),
    )


def first_run():
    first = [finding.gate.model_copy(update={"old": None}) for finding in (AUC, ACCURACY)]
    findings = [gate("not_comparable", 40, **evidence.model_dump()) for evidence in first]
    return report([*DATA, *findings, FLOOR], [Comparison(baseline="merge-base", status="first_run")])


def not_comparable():
    reason = "the label's values are other ones: on_time, late instead of false, true"
    findings = [gate("not_comparable", 40, metric="roc_auc", rows=27_004, new=0.7163)]
    comparison = Comparison(baseline="release", status="not_comparable", reason=reason, commit=BASE)
    return report([*DATA, *findings, FLOOR], [comparison])


def data_failure():
    return report([MISSING, CARRIER, *DATA], gates=False, diffs=(DIFF,))


EVIL = (
    "a|b `c` <img src=x onerror=alert(1)> <!-- --> @octocat #1 [l](http://e.vil) ![i](//e.vil/i.png) www.e.vil "
    "a@e.vil https://e.vil/x ``` </details> $$x$$ :tada: GH-7 o/r#3 deadbeefcafe \n\n# h\n- [ ] t\n| x |\n|--|\n"
    "\u202eevil\u200b\x1b[31mred\x1b]8;;http://e.vil\x07l\x1b]8;;\x07 [bold red]x[/] {{7*7}} {% raw %} &lt;b&gt; \\| \\"
)


def hostile(evil=EVIL):
    """The same structure whatever the text, so that renderings can be compared."""
    rows = Rows(columns=(evil, "id"), rows=((evil, evil), (None, evil)))
    finding = Finding(
        check=f"data.{evil}", title=evil, area="data", outcome="fail", message=evil, mend=evil,
        place=Place(file=evil, line=3), output=(evil, evil),
        data=DataEvidence(table=evil, column=evil, slice=evil, rows=9, measured=evil, limit=evil, examples=rows),
    )  # fmt: skip
    part = gate("fail", 3, metric="accuracy", slice=evil, baseline=evil, rows=99, old=0.5, new=0.4, gained=1, lost=11)
    comparison = Comparison(
        baseline=evil, status="not_comparable", reason=evil, commit=evil, model=evil,
        flips=(Flips(slice=evil, rows=9, gained=1, lost=2, examples=rows),),
    )  # fmt: skip
    verdict = Verdict(
        project=evil, outcome="fail", headline=evil, findings=(finding, part), comparisons=(comparison,), tool=evil,
        commit=evil, digests=Digests(policy=evil, model=evil, data={evil: evil}), footer=evil,
    )  # fmt: skip
    charts = Charts(
        curves=(Curve(kind="roc", model=evil, x=(0.0, 1.0), y=(0.0, 1.0)),),
        scores=(Histogram(model=evil, label=evil, edges=(0.0, 0.5, 1.0), counts=(3, 4)),),
        slices=(
            SliceChange(
                metric="accuracy", slice=evil, baseline=evil, rows=9, change=-0.1, low=-0.2, high=0.1, outcome=evil
            ),
        )
        * 2,
        drift=(DriftBar(table=evil, column=evil, measure="ks", value=0.2, low=0.1, tolerance=0.1),),
        seeds=dots(recipe(evil, evil)),
    )  # fmt: skip
    column = ColumnDiff(column=evil, what="shifted", old={evil: evil}, new={evil: evil}, note=evil)
    diff = DataDiff(table=evil, old=evil, new=evil, rows_old=1, rows_new=2, columns=(column,), note=evil,
                    examples=(RowChange(id=evil, column=evil, old=evil, new=None),))  # fmt: skip
    metric = MetricRow(metric=evil, new=0.4, old={evil: 0.5})
    weak = WeakSlice(slice=evil, rows=99, than="before", baseline=evil, measured=0.2, excess=0.1, low=0.05, high=0.15)
    group = rates((("x", 99), ("y", 99), ("z", 99)))[0].model_copy(update={"group": evil})
    return Report(
        verdict=verdict, metrics=(metric,), charts=charts, diffs=(diff,), repeat=(evil, "mlci report"),
        weak=(weak, weak.model_copy(update={"than": "elsewhere", "baseline": None})), fairness=(group,),
        recipe=recipe(evil, evil),
        timing=Timing(seconds=3, steps=(Spent(what=evil, seconds=2),)),
    )  # fmt: skip


def pipeline():
    """A pull request whose lock is stale, whose data is not pushed, and whose training crashed."""
    here = Place(file="dvc.yaml", line=7)
    train = StageRun(
        stage="train", why=("parameter train.max_iter",), stale=True, seconds=41.25, exit_code=1, place=here,
        lock=Place(file="dvc.lock", line=21),
        output=("Traceback (most recent call last):", '  File "models/train.py", line 9', "ValueError: NaN in `age`"),
    )  # fmt: skip
    lost = Unpushed(
        path="data/train.parquet", stage="split", remote="store", cached=False, place=Place(file="dvc.lock", line=12)
    )
    done = Reproduced(status="failed", runs=(train,), unpushed=(lost,), remote=True)
    steps = (Spent(what="finding what changed", seconds=0.1), Spent(what="reproducing the pipeline", seconds=43.0))
    timing = Timing(
        seconds=43.5, steps=steps, stages=(Spent(what="train", seconds=41.25),), pulled=("data/test.parquet",)
    )
    return report(pipeline_findings(done), gates=False, timing=timing)


def budgets():
    return report([*DATA, AUC, FLOOR, *budget_findings.told()], [compared()], metrics=METRICS[:1])


SAMPLES = {
    "pass": passing,
    "open_slices": open_slices,
    "fail": failing,
    "inconclusive": inconclusive,
    "first_run": first_run,
    "not_comparable": not_comparable,
    "data_failure": data_failure,
    "pipeline": pipeline,
    "budgets": budgets,
    "hostile": hostile,
}
