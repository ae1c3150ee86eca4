"""One small report for each message that a reader can get, made by what makes them in a run."""

from datetime import date

import budget_findings
import numpy as np
from samples import (
    ACCURACY,
    AUC,
    DATA,
    FLOOR,
    METRICS,
    OPEN,
    SMALL_SLICE,
    WEAK,
    WEAK_REGRESSION,
    compared,
    data,
    gate,
    rates,
    report,
)

from mlci.judge.beats import untrained_finding
from mlci.judge.budget import spent_finding
from mlci.judge.gate import leaked_finding
from mlci.judge.guard import (
    blocked_by_base,
    changed_policy_findings,
    removed_gate_findings,
    removed_stage_findings,
    unjudged_gate_findings,
    waive,
)
from mlci.judge.headline import footer
from mlci.judge.loosened import policy_changes
from mlci.judge.pipeline import pipeline_findings
from mlci.judge.recipe_words import metric_words, model_only
from mlci.judge.sanity import leak, refusal, unmeasured
from mlci.judge.words import gate_title
from mlci.nouns.base import Place
from mlci.nouns.finding import Comparison, Finding
from mlci.nouns.pipeline import Reproduced, StageRun, Unpushed
from mlci.nouns.policy import Cost, Gate, MetricGate, Model, Policy, PolicyFile
from mlci.nouns.sample import Answers, Sample
from mlci.nouns.training import Recipe, RecipeChange, RecipeMetric, Spread
from mlci.nouns.waiver import Waiver

LINES = {(): 3, ("gate",): 30, ("gate", "test"): 31, ("gate", "reuse"): 33, ("waivers",): 60, ("waivers", "0"): 61}


def policy(drop):
    metrics = {"accuracy": MetricGate.model_validate({"drop": drop, "floor": 0.75})}
    return Policy(model=Model(name="flights", label="disrupted", id="flight_id"), gate=Gate(metrics=metrics))


FILE = PolicyFile(policy(0.02), lines=LINES)
TODAY = date(2026, 3, 1)
BLOCKED = gate(
    "fail", 41, metric="accuracy", rows=27_004, old=0.8102, new=0.8001, gained=440, lost=713, worst=0.0141,
    tolerance=0.01, low=-0.0133, high=-0.0071, p_value=1e-9, p_adjusted=2e-8, limit="drop <= 0.01",
)  # fmt: skip


def blocked():
    return report([BLOCKED, *DATA], [compared(flips=())])


def too_small():
    few = {"metric": "accuracy", "rows": 22, "limit": "drop <= 0.01", "tolerance": 0.01}
    slices = [SMALL_SLICE, gate("too_small", 45, slice="carrier = HA", **few)]
    positives = gate("too_small", 46, metric="recall", rows=4_100, positives=31, limit="drop <= 0.02")
    return report([ACCURACY, positives, *slices, *DATA], [compared(flips=())])


def critical_open():
    open_ = gate(
        "inconclusive", 40, critical=True, metric="roc_auc", rows=900, old=0.7171, new=0.7093, worst=0.0212,
        tolerance=0.01, low=-0.0212, high=0.0056, p_value=0.2, more_rows=3_480, limit="drop <= 0.01",
    )  # fmt: skip
    return report([open_, *DATA], [compared(rows=900, flips=(), leaked=0)])


def floor_broken():
    low = gate(
        "fail", 41, metric="accuracy", kind="value", baseline=None, rows=27_004, new=0.7312, low=0.7259, high=0.7365,
        bound=0.75, p_value=1e-9, limit="floor 0.75",
    )  # fmt: skip
    ceiling = gate(
        "inconclusive", 42, metric="cost", kind="value", baseline=None, rows=27_004, new=0.572, low=0.561, high=0.583,
        bound=0.58, limit="ceiling 0.58", more_rows=9_120,
    )  # fmt: skip
    return report([low, ceiling, *DATA], [Comparison(baseline="merge-base", status="first_run")])


def not_measured():
    finding = gate("not_measured", 43, metric="log_loss", rows=27_004, limit="rise <= 0.01")
    unchecked = Finding(
        check="data.weather.checked", title="weather is checked", area="data", outcome="not_measured",
        message="The table `weather` (or what is promised of it) changed since it was checked.",
        mend="Run `mlci data check` (`dvc repro` does) and compare again.", place=FILE.place("data", "weather"),
    )  # fmt: skip
    return report([ACCURACY, finding, unchecked, *DATA], [compared(flips=())])


def unchanged():
    same = gate(
        "pass", 41, metric="accuracy", rows=27_004, old=0.8102, new=0.8102, gained=0, lost=0, worst=0.0, tolerance=0.01,
        low=0.0, high=0.0, p_value=1.0, limit="drop <= 0.01",
    )  # fmt: skip
    return report([same, FLOOR, *DATA], [compared(status="unchanged", leaked=0, rescored=False, flips=())])


def budget_spent():
    return report([ACCURACY, *DATA, spent_finding(51, FILE, 50)], [compared(flips=())])


def later_look():
    made = report([ACCURACY, *DATA], [compared(flips=())])
    update = {"look": 3, "footer": footer(0.05, 7, 50, 3)}
    return made.model_copy(update={"verdict": made.verdict.model_copy(update=update)})


def simple_models():
    care = {"kind": "beats", "metric": "roc_auc", "rows": 27_004, "tolerance": 0.01, "limit": "drop <= 0.01"}
    return report(
        [
            AUC,
            gate("pass", 34, baseline="majority", old=0.5, new=0.7163, low=0.2091, high=0.2235, **care),
            gate("fail", 34, baseline="logistic", old=0.7152, new=0.7163, low=-0.0021, high=0.0043, **care,
                 trained=(100_000, 309_772)),
            gate("inconclusive", 34, baseline="tree", old=0.7044, new=0.7163, low=0.002, high=0.0218, **care,
                 more_rows=9_410),
            untrained_finding("logistic", "the column origin is text", "name numbers in `mlci.gate.inputs`", FILE),
            *DATA,
        ],
        [compared(flips=())],
    )  # fmt: skip


def seeds_of(told, **given):
    change = {"baseline": "merge-base", "change": 0.0061, "recipe": 0.0052, "low": 0.0021, "high": 0.0083, "times": 3.4}
    changes = (RecipeChange(told=told, old_seeds=0, **change),)
    found = RecipeMetric(
        metric="roc_auc", new=0.7163, seeds={"2": 0.7151, "3": 0.7178}, changes=changes,
        spread=Spread(count=2, mean=0.7165, sd=0.0018, low=0.0008, high=0.06), **given,
    )  # fmt: skip
    words = metric_words(found)
    told_of = Recipe(judged="recipe", words=words, metrics=(found.model_copy(update={"words": words}),))
    return report([AUC, *DATA], [compared(flips=())], recipe=told_of)


def seed_explains():
    return seeds_of("seed")


def too_few_rows_for_the_recipe():
    return seeds_of("rows")


def recipe_changed():
    return seeds_of("recipe")


def lucky_seed():
    return seeds_of("seed", lucky=True)


def model_only_judged():
    return report([AUC, *DATA], [compared(flips=())], recipe=Recipe(words=model_only()))


def seeds_not_measured():
    why = "reports/seeds.json is of another model"
    findings = [unmeasured(why, FILE, "train.seeds"), unmeasured(why, FILE), AUC, *DATA]
    return report(findings, [compared(flips=())])


def _shuffled(share):
    """The model of shuffled labels, its gate's say, and the candidate, whose scores know the label."""
    label = np.arange(400) % 2 == 0
    known = np.where(label, 0.7, 0.3) + np.linspace(-0.1, 0.1, 400)
    twin = share * known + (1 - share) * np.tile([0.4, 0.4, 0.6, 0.6], 100)
    answers = [Answers(decision=score >= 0.5, score=score) for score in (twin, known)]
    sample = Sample(task="binary", ids=np.arange(400).astype(object), label=label, new=answers[0], old=None, parts=())
    return sample, answers[1]


def shuffled_labels_refused():
    sample, model = _shuffled(0.0)
    return report([refusal([BLOCKED], sample, model, FILE), AUC, *DATA], [compared(flips=())])


def shuffled_labels_pass():
    sample, model = _shuffled(0.0)
    return report([refusal([AUC], sample, model, FILE), AUC, *DATA], [compared(flips=())])


def shuffled_labels_open():
    sample, model = _shuffled(0.0)
    return report([refusal([OPEN], sample, model, FILE), AUC, *DATA], [compared(flips=())])


def shuffled_labels_leak():
    sample, model = _shuffled(1.0)
    found = leak(sample, model, FILE)
    assert found is not None
    return report([found, AUC, *DATA], [compared(flips=())])


def leaked():
    return report([ACCURACY, *DATA, leaked_finding(1_204, 28_208, FILE)], [compared(leaked=1_204, flips=())])


def policy_loosened():
    changes = policy_changes(policy(0.01), policy(0.02))
    own = (BLOCKED.model_copy(update={"outcome": "pass", "check": "gate.accuracy.drop"}),)
    base = (BLOCKED.model_copy(update={"check": "gate.accuracy.drop"}),)
    findings = [*changed_policy_findings(changes, FILE), *blocked_by_base(base, own, FILE), AUC, *DATA]
    return report(findings, [compared(flips=())])


def policy_asks_something_else():
    before = policy(0.01)
    own = before.model_copy(update={"model": before.model.model_copy(update={"cost": Cost(false_negative=0.0)})})
    return report([*changed_policy_findings(policy_changes(before, own), FILE), AUC, *DATA], [compared(flips=())])


def gate_removed():
    before = policy(0.01)
    changes = policy_changes(before, before.model_copy(update={"gate": None}))
    gone = blocked_by_base(removed_gate_findings(FILE), DATA, FILE)
    return report([*changed_policy_findings(changes, FILE), *gone, *DATA], [])


def gate_not_asked():
    problem = "params.yaml:12: data/test.parquet has no column `carrier`"
    open_ = blocked_by_base(unjudged_gate_findings(problem, FILE), (), FILE)
    return report([*open_, AUC, *DATA], [compared(flips=())])


def stage_removed():
    return report([*removed_stage_findings(["check_data"]), AUC, *DATA], [compared(flips=())])


def _waived(until, check="gate.accuracy"):
    waiver = Waiver(check=check, reason="the sensor at JFK is replaced", approver="Ada", until=until)
    return report(waive([BLOCKED, AUC, *DATA], [waiver], TODAY, FILE), [compared(flips=())])


def waiver_of_ones_own():
    waiver = Waiver(
        check="gate.accuracy", reason="the sensor at JFK is replaced", approver="Ada", until=date(2026, 3, 31)
    )
    return report(waive([BLOCKED, AUC, *DATA], [waiver], TODAY, FILE, known=()), [compared(flips=())])


def waiver_used():
    return _waived(date(2026, 3, 31))


def waiver_expired():
    return _waived(date(2026, 2, 28))


def waiver_unused():
    return _waived(date(2026, 3, 31), check="gate.recall")


def weak_slices():
    return report([ACCURACY, *DATA], [compared(flips=())], weak=WEAK, metrics=METRICS[:1])


def weak_slices_of_a_regression():
    error = gate(
        "pass", 41, metric="mae", rows=2_300, old=11.92, new=11.63, worst=0.11, tolerance=0.5, low=-0.69, high=0.11,
        limit="rise <= 0.5",
    )  # fmt: skip
    return report([error, *DATA], [compared(rows=2_300, leaked=0, flips=())], weak=WEAK_REGRESSION)


def groups():
    return report([ACCURACY, *DATA], [compared(flips=())], fairness=rates())


def groups_of_a_first_run():
    none = dict.fromkeys(("before", "change", "change_low", "change_high"))
    alone = tuple(item.model_copy(update=none) for item in rates())
    return report([FLOOR, *DATA], [Comparison(baseline="merge-base", status="first_run")], fairness=alone)


def groups_alike():
    ends = {"difference_low": -0.1, "difference_high": 0.1, "change_low": -0.1, "change_high": 0.1}
    alike = [item.model_copy(update=ends) for item in rates()]
    return report([ACCURACY, *DATA], [compared(flips=())], fairness=alike)


def drifted():
    finding = data(
        "temp.drift", "temp has not drifted", "`temp` has drifted: KS distance 0.43, at least 0.41 (95 % sure).",
        "fail", 50, "warn", "See whether the model still does well on such rows; retrain if it does not.",
        column="temp", measured=0.43, low=0.41, limit="ks 0.1",
    )  # fmt: skip
    noted = data(
        "dest.allowed", "dest is one of 104 values", "3 rows have another value: LEX.", "fail", 26, "info",
        column="dest", count=3, share=0.0000089,
    )  # fmt: skip
    return report([finding, noted, *DATA], gates=False)


def nothing_checked():
    return report([], gates=False)


def uncommitted():
    made = report([ACCURACY, *DATA], [compared(flips=())])
    return made.model_copy(update={"verdict": made.verdict.model_copy(update={"dirty": True})})


def two_baselines():
    release = compared(baseline="release", leaked=0, rescored=False, flips=())
    drop = {"metric": "accuracy", "rows": 27_004, "tolerance": 0.01, "limit": "drop <= 0.01"}
    findings = [
        gate("pass", 41, old=0.8102, new=0.8124, gained=612, lost=553, worst=0.0, **drop),
        gate("fail", 41, baseline="release", old=0.8251, new=0.8124, gained=440, lost=783, p_value=1e-9, **drop),
    ]
    named = [item.model_copy(update={"title": gate_title(item.gate, name_baseline=True)}) for item in findings]
    return report([*named, *DATA], [compared(flips=()), release], metrics=METRICS)


def pipeline_again():
    """Stages that ran although nothing that they read had changed."""
    here, lock = Place(file="dvc.yaml", line=7), Place(file="dvc.lock", line=21)
    runs = (
        StageRun(stage="train", missing=("model.pkl",), differs=("model.pkl",), place=here, lock=lock),
        StageRun(stage="export", behind=("train",), differs=("model.onnx",), place=here, lock=lock),
        StageRun(stage="test", edited=("reports/metrics.json",), place=here, lock=lock),
    )
    cached = Unpushed(path="data/test.parquet", stage="split", remote="store", cached=True, place=lock)
    done = Reproduced(status="ran", runs=runs, unpushed=(cached,), remote=True)
    return report(pipeline_findings(done), gates=False)


def pipeline_held():
    return report(pipeline_findings(Reproduced(status="current", remote=True)), gates=False)


def pipeline_conflict():
    marks = (Place(file="dvc.lock", line=12), Place(file="dvc.yaml", line=3))
    return report(pipeline_findings(Reproduced(status="conflict", conflicts=marks)), gates=False)


def budgets_of_a_busy_machine():
    return report(budget_findings.told(software=budget_findings.measured(share=0.4)), [compared()])


def budgets_of_a_first_run():
    return report(budget_findings.told(base=None, why="this is the first run"), [compared()])


def budgets_of_the_same_model():
    return report(budget_findings.told(base=budget_findings.MODEL), [compared()])


def budgets_not_measured():
    return report(budget_findings.told(software=None, why="data/test.parquet is not there"), [compared()])


MESSAGES = {
    made.__name__: made
    for made in (
        blocked, too_small, critical_open, floor_broken, not_measured, unchanged, budget_spent, later_look, leaked,
        seed_explains, too_few_rows_for_the_recipe, recipe_changed, lucky_seed, model_only_judged, seeds_not_measured,
        shuffled_labels_refused, shuffled_labels_pass, shuffled_labels_open, shuffled_labels_leak,
        simple_models, policy_loosened, policy_asks_something_else, gate_removed, gate_not_asked, stage_removed,
        waiver_used, waiver_of_ones_own, waiver_expired, waiver_unused, groups,
        groups_of_a_first_run, groups_alike, drifted, weak_slices, weak_slices_of_a_regression, nothing_checked,
        budgets_of_a_busy_machine, budgets_of_a_first_run, budgets_of_the_same_model, budgets_not_measured,
        uncommitted, two_baselines, pipeline_again, pipeline_held, pipeline_conflict,
    )
}  # fmt: skip
