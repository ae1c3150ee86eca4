"""The whole loop on one machine: Git's server, GitHub's API, a runner, and a person who opens pull requests."""

import shutil
import subprocess
from dataclasses import dataclass
from itertools import count

import yaml
from runner import Runner
from user_project import UserProject

REPOSITORY = "acme/flights"
FORK = "mallory/flights"
READ = {"contents": "read"}


@dataclass
class Pull:
    number: int
    branch: str
    head: str
    fork: str = ""


class Loop:
    """A repository on GitHub with mlci's workflows.

    Attributes:
        github: The API, as the fixture `github` of the tests of the forge gives it.
        host: Git's server.
        runner: The machine that runs workflows.
        project: Somebody's clone.
    """

    def __init__(self, folder, github, host, project):
        self.github = github
        self.host = host
        self.project = project
        self.runner = Runner(folder / "runner", git_url=host.url, api_url=github.url)
        self.bare = host.folder / REPOSITORY
        self._runs = count(1)
        for name in (REPOSITORY, FORK):
            subprocess.run(["git", "clone", "--quiet", "--bare", project.root, host.folder / name], check=True)
        project.git("remote", "add", "origin", str(self.bare))
        project.git("fetch", "--quiet", "origin")

    def open(self, branch, *, fork=False, base="main"):
        """Open a pull request with what is committed here."""
        fork_name = FORK.split("/", maxsplit=1)[0] if fork else ""
        head = self.project.git("rev-parse", "HEAD")
        pull = Pull(self.github.pull(branch, head, fork=fork_name, base=base), branch, head, fork_name)
        self._show(pull)
        return pull

    def push(self, pull):
        """Push what is committed here to the branch of a pull request."""
        pull.head = self.project.git("rev-parse", "HEAD")
        self.github.push(pull.number, pull.head)
        self._show(pull)

    def _show(self, pull):
        where = self.host.folder / (FORK if pull.fork else REPOSITORY)
        self.project.git("push", "--quiet", "--force", str(where), f"HEAD:refs/heads/{pull.branch}")
        # GitHub keeps the head of every pull request, forks' included, in the repository itself.
        self.project.git("push", "--quiet", "--force", str(self.bare), f"HEAD:refs/pull/{pull.number}/head")

    def permissions(self, workflow, job, revision="main"):
        """What the workflow file of a revision gives a job's token."""
        text = self.git("show", f"{revision}:.github/workflows/{workflow}")
        return yaml.safe_load(text)["jobs"][job]["permissions"]

    def token(self, permissions):
        secret = self.github.token(permissions=permissions)
        self.host.grants[secret] = permissions
        return secret

    def measure(self, pull, workflow="pr.yml", job="mlci", actions=None):
        """Run `pr.yml` as the pull request has it; a fork's token can only read, whatever the file says."""
        asked = self.permissions(workflow, job, pull.head)
        granted = dict.fromkeys(asked, "read") if pull.fork else asked
        number = next(self._runs)
        run = self.runner.run(
            (self.bare, f"refs/pull/{pull.number}/head"),
            workflow,
            "pull_request",
            self.github.event(pull.number, "pull_request"),
            token=self.token(granted),
            run_id=number,
            variables={"GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": pull.branch},
            actions=actions,
        )
        run.id, run.head = number, pull.head
        return run

    def report(self, pull, measured, conclusion=None):
        """Run `report.yml` as the default branch has it, after a run for a pull request."""
        event = self.github.event(
            pull.number, sha=measured.head, conclusion=conclusion or measured.outcome, run=measured.id
        )
        return self.runner.run(
            (self.bare, "main"),
            "report.yml",
            "workflow_run",
            event,
            token=self.token(self.permissions("report.yml", "report")),
        )

    def both(self, pull):
        """Run both halves; gives both runs."""
        measured = self.measure(pull)
        return measured, self.report(pull, measured)

    def merge(self, before):
        """Run `main.yml` after what is committed here was pushed to the default branch."""
        self.project.git("push", "--quiet", str(self.bare), "HEAD:refs/heads/main")
        return self.runner.run(
            (self.bare, "main"),
            "main.yml",
            "push",
            push_event(before, self.project.git("rev-parse", "HEAD")),
            token=self.token(self.permissions("main.yml", "main")),
        )

    def refs(self, name=REPOSITORY):
        """All refs of a repository but those of its branches and pull requests."""
        told = subprocess.run(
            ["git", "-C", self.host.folder / name, "for-each-ref", "--format=%(refname)"],
            check=True,
            capture_output=True,
            text=True,
        )
        return [ref for ref in told.stdout.split() if not ref.startswith(("refs/heads/", "refs/pull/"))]

    def git(self, *arguments):
        """Ask Git in the repository on the server."""
        done = subprocess.run(["git", "-C", self.bare, *arguments], check=True, capture_output=True, text=True)
        return done.stdout


def copied(project, folder):
    """The same project somewhere else; DVC's remote is shared."""
    shutil.copytree(project.root, folder, symlinks=True)
    return UserProject(folder, project.remote, project.environment)


def push_event(before, after, name=REPOSITORY):
    """A `push` to the default branch."""
    owner, short = name.split("/")
    return {
        "ref": "refs/heads/main",
        "before": before,
        "after": after,
        "head_commit": {"id": after, "message": "Merged"},
        "commits": [{"id": after, "message": "Merged", "added": [], "removed": [], "modified": []}],
        "repository": {"name": short, "full_name": name, "default_branch": "main", "owner": {"login": owner}},
        "sender": {"login": owner, "type": "User"},
    }
