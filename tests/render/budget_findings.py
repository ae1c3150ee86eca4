"""What is said of budgets, in every way that one can come out, made by what makes it in a run."""

from mlci.judge.budgets import Seen, judge_budgets
from mlci.nouns.budgets import Budgets
from mlci.nouns.policy import Policy, PolicyFile
from mlci.nouns.software import Artefact, Numbers, Session, Software

LINES = {("budgets",): 70, ("budgets", "latency_p50"): 71, ("budgets", "throughput"): 73, ("budgets", "memory"): 75}
FILE = PolicyFile(Policy(), lines=LINES)
WANTED = Budgets.model_validate(
    {
        "latency_p50": {"limit": "5ms", "rise": "20%"},
        "latency_p99": {"limit": "200us", "rise": "20%"},
        "throughput": {"limit": "1000/s", "drop": "20%", "level": "warn"},
        "cold_start": "1s",
        "size": {"limit": "20MB", "rise": "5%"},
        "memory": {"limit": "300MB", "rise": "10%"},
        "cost_per_million": {"limit": 0.01, "rise": "10%"},
        "price": 0.04,
    }
)
MODEL, BASE = Artefact(sha256="a" * 64, size=24_300_000), Artefact(sha256="b" * 64, size=23_900_000)
_SPREAD = (-0.05, 0.02, 0.04, -0.01, 0.08, 0.0)


def measured(share=0.97):
    """The candidate takes twice as long, and differs in all else by what differs from session to session."""
    sessions = []
    for at, part in enumerate(_SPREAD):
        new = Numbers(
            latency_p50=1.37e-4 * (1 + part), latency_p99=2.6e-4 * (1 + 2 * part), throughput=2_300 * (1 - 4 * part),
            cold_start=1.2 * (1 + part), memory=143e6, cpu=1.9e-4 * (1 + part), cpu_latency=1.4e-4, cpu_start=0.7,
        )  # fmt: skip
        other = _SPREAD[-at]
        old = Numbers(
            latency_p50=6.5e-5 * (1 + other), latency_p99=2.2e-4 * (1 + 2 * other), throughput=2_700 * (1 - other),
            cold_start=1.1 * (1 + other), memory=141e6, cpu=1.8e-4 * (1 + other), cpu_latency=6.8e-5, cpu_start=0.7,
        )  # fmt: skip
        sessions.append(Session(share=share, new=new, old=old))
    return Software(
        tool="mlci 0.1.0", model=MODEL, base=BASE, machine="AMD EPYC, 2 cores, Linux", concurrency=32,
        sessions=tuple(sessions),
    )  # fmt: skip


def told(**changes):
    """The findings, with something else seen than usual."""
    return judge_budgets(WANTED, Seen(MODEL, BASE, measured())._replace(**changes), FILE)
