"""What tests do with pull requests, and what they look at afterwards."""

import json
import zipfile

MARKER = "<!-- mlci"


def edited(loop, branch, *edits, start="main", message="A change"):
    """Commit edits that nobody ran on a new branch, and check it out."""
    loop.project.git("switch", "--quiet", "--create", branch, start)
    for path, old, new in edits:
        loop.project.replace(path, old, new)
    loop.project.commit(message)


def opened(loop, branch, **where):
    """Open a pull request for a branch."""
    loop.project.git("switch", "--quiet", branch)
    return loop.open(branch, **where)


def report_of(loop, run):
    """The report that a run left as an artefact; None where it left none."""
    file = loop.runner.artifacts / str(run.id) / "mlci-report.zip"
    if not file.is_file():
        return None
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("root/report.json"))


def stored(loop):
    """The files in DVC's remote."""
    return [path.relative_to(loop.project.remote) for path in loop.project.remote.rglob("*") if path.is_file()]


def ledger(loop):
    """All that the repository's ledger holds."""
    return loop.git("grep", "--text", "-e", "", "refs/mlci/ledger")


def comments(loop, pull):
    return [item["body"] for item in loop.github.comments(pull.number) if MARKER in item["body"]]


def conclusions(loop, pull):
    return [check["conclusion"] for check in loop.github.checks(pull.head)]
