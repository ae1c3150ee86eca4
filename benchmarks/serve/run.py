"""Load servers of the same model on the loopback: mlci beside a bare server, one by hand, and the peers.

    python benchmarks/serve/run.py --turns 5 --seconds 2 --peers fastapi,mlserver,kserve,mlflow,bentoml

All servers run at once, each with one worker and one thread for the model, and are loaded in turns: in each turn, each
server is loaded at each concurrency, in an order that is turned around from turn to turn. So a busy machine is busy for
all of them, and ratios are taken within a turn. Before anything is timed, every server must give the same scores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

import parts  # noqa: E402 - the folder above is a script's, too
import table  # noqa: E402
from contestants import MINE, OURS, PEERS, ROOT, Contestant  # noqa: E402
from environments import interpreter  # noqa: E402
from servers import Server  # noqa: E402

from mlci.edges.software.machine import machine  # noqa: E402

CACHE = ROOT / ".cache" / "bench" / "serve"
DOCS = ROOT / "docs"
CONCURRENCY = (1, 32)
TOLERANCE = 1e-9


def main() -> None:
    options = _options()
    load = os.getloadavg()[0]
    shutil.rmtree(CACHE, ignore_errors=True)
    skipped: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        servers = _admitted(stack, options.peers, skipped)
        runs = _measure(servers, options.turns, options.seconds)
    result = {
        "machine": machine(),
        "load_before": load,
        "turns": options.turns,
        "seconds": options.seconds,
        "skipped": skipped,
        "what": {each.contestant.name: each.contestant.what for each in servers},
        "packages": {each.contestant.name: each.contestant.packages[0] for each in servers if each.contestant.packages},
        "runs": runs,
        "parts": parts.measured(options.turns),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "serve.json").write_text(json.dumps(result, indent=2) + "\n")
    text = table.markdown(result)
    (options.out / "serve.md").write_text(text)
    (options.images / "serve.svg").write_text(table.plot(result))
    print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", default=5, type=int)
    parser.add_argument("--seconds", default=2.0, type=float, help="of load on one server at one concurrency in a turn")
    parser.add_argument("--peers", default=",".join(PEERS), type=lambda text: [n for n in text.split(",") if n])
    parser.add_argument("--out", default=DOCS / "benchmarks", type=Path, help="folder of serve.json and serve.md")
    parser.add_argument("--images", default=DOCS / "images", type=Path, help="folder of serve.svg")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"unknown peers {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return options


def _admitted(stack: contextlib.ExitStack, peers: list[str], skipped: dict[str, str]) -> list[Server]:
    """Every server that starts and gives mlci's scores; why the others don't goes into `skipped`."""
    servers: list[Server] = []
    wanted: list[float] = []
    for place, contestant in enumerate((*MINE, *(PEERS[name] for name in peers))):
        try:
            server = _started(stack, contestant, place)
            scores = server.scores()
        except (RuntimeError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            skipped[contestant.name] = said.strip()[-400:]
            print(f"skipped {contestant.name}: {said}", file=sys.stderr)
            continue
        wanted = wanted or (scores if contestant.name == OURS else [])
        if contestant.read and any(abs(one - other) > TOLERANCE for one, other in zip(scores, wanted, strict=True)):
            skipped[contestant.name] = "it gives other scores"
            continue
        servers.append(server)
    if missing := {each.name for each in MINE} & skipped.keys():
        sys.exit(f"{', '.join(sorted(missing))} must run: {skipped}")
    return servers


def _started(stack: contextlib.ExitStack, contestant: Contestant, place: int) -> Server:
    name = next((name for name, each in PEERS.items() if each is contestant), "")
    python = interpreter(f"serve-{name}", contestant.packages)
    return stack.enter_context(Server(contestant, python, CACHE / str(place)))


def _measure(servers: list[Server], turns: int, seconds: float) -> dict:
    """Rate, latencies and CPU time of every turn, by contestant and concurrency."""
    runs = {each.contestant.name: {str(at): [] for at in CONCURRENCY} for each in servers}
    for turn in range(turns):
        for concurrency in CONCURRENCY:
            for server in servers if turn % 2 == 0 else reversed(servers):
                name = server.contestant.name
                done = server.turn(concurrency, seconds)
                runs[name][str(concurrency)].append(asdict(done))
                print(f"turn {turn + 1}, {concurrency:>2} connections: {name} {done.rate:,.0f}/s", file=sys.stderr)
    return runs


if __name__ == "__main__":
    main()
