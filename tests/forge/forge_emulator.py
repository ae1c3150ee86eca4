"""GitHub on this machine: a stateful emulator behind a proxy that checks every exchange."""

import json
import secrets
import subprocess
from pathlib import Path

from forge_faults import Fault
from forge_npm import NODE, modules
from forge_proxy import ACTIONS, Proxy, Token

OWNER = "acme"
NAME = "flights"
REPOSITORY = f"{OWNER}/{NAME}"
WRITES = {"checks": "write", "issues": "write", "pull-requests": "write", "statuses": "write"}
_PEOPLE = (OWNER, "mallory", "robot", "someone", ACTIONS)


class Emulator:
    """The emulator's process; `reset` forgets everything but the people and the repository."""

    def __init__(self):
        self.proxy = Proxy()
        command = [NODE, Path(__file__).with_name("emulator.mjs"), modules() / "emulate/dist/api.js"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        seed = {
            "tokens": {f"inner-{login}": {"login": login, "scopes": ["repo"]} for login in _PEOPLE},
            "github": {
                "users": [{"login": login} for login in _PEOPLE],
                "repos": [{"owner": OWNER, "name": NAME, "auto_init": True, "default_branch": "main"}],
            },
        }
        self.proxy.inner = self._order(start={"seed": seed, "baseUrl": self.proxy.url})["port"]

    def _order(self, **order):
        self.process.stdin.write(f"{json.dumps(order)}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def reset(self):
        self.proxy.shown.__init__()
        self._order(reset=True)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        self.proxy.shutdown()
        self.proxy.server_close()


class GitHub:
    """What tests do with the emulated GitHub besides asking its API; all of one repository, `acme/flights`.

    Attributes:
        url: What `GITHUB_API_URL` must say.
        repository: What `GITHUB_REPOSITORY` must say.
    """

    repository = REPOSITORY

    def __init__(self, emulator):
        self._proxy = emulator.proxy
        self._shown = emulator.proxy.shown
        self.url = emulator.proxy.url

    def token(self, login=ACTIONS, permissions=None):
        """A token. Of a workflow (`github-actions[bot]`, with the permissions as a workflow names them; default: those
        that the trusted half needs; `{}` is a fork's, which may only read), or of a person (`acme`, `robot`, …)."""
        named = permissions if permissions is not None or login != ACTIONS else WRITES
        given = None if named is None else {name.replace("-", "_"): level for name, level in named.items()}
        secret = f"{'ghs' if login == ACTIONS else 'ghp'}_{secrets.token_hex(18)}"
        self._shown.tokens[secret] = Token(login, f"inner-{login}", given)
        return secret

    def pull(self, branch, sha, *, fork="", base="main"):
        """Open a pull request; `fork` names whose fork the branch is in (`mallory`). Gives its number."""
        author = fork or OWNER
        if fork:
            self._do(fork, "POST", f"/repos/{REPOSITORY}/forks", {})
        self.commit(sha)
        given = {"title": f"Change {branch}", "head": f"{author}:{branch}", "base": base}
        number = self._do(author, "POST", f"/repos/{REPOSITORY}/pulls", given)["number"]
        self._shown.heads[REPOSITORY, number] = sha
        return number

    def push(self, number, sha):
        """Another commit is now the head of a pull request."""
        self.commit(sha)
        self._shown.heads[REPOSITORY, number] = sha

    def close(self, number):
        """Close a pull request."""
        self._do(OWNER, "PATCH", f"/repos/{REPOSITORY}/pulls/{number}", {"state": "closed"})

    def commit(self, sha):
        """Make a commit known; only its name is."""
        if sha in self._shown.shas:
            return
        tip = self._do(OWNER, "GET", f"/repos/{REPOSITORY}/commits/main")
        given = {"message": sha, "tree": tip["commit"]["tree"]["sha"], "parents": [tip["sha"]]}
        made = self._do(OWNER, "POST", f"/repos/{REPOSITORY}/git/commits", given)
        self._shown.shas[sha] = made["sha"]

    def comment(self, number, body, login="someone"):
        """Somebody comments; gives the comment."""
        return self._do(login, "POST", f"/repos/{REPOSITORY}/issues/{number}/comments", {"body": body})

    def comments(self, number):
        """All comments, oldest first, as `{"login": …, "body": …, "id": …}`."""
        told = self._do(OWNER, "GET", f"/repos/{REPOSITORY}/issues/{number}/comments?per_page=100")
        return [{"login": one["user"]["login"], "body": one["body"], "id": one["id"]} for one in told]

    def checks(self, sha):
        """All check runs of a commit, oldest first, each with all its `annotations`."""
        path = f"/repos/{REPOSITORY}/commits/{sha}/check-runs?filter=all"
        runs = sorted(self._do(OWNER, "GET", path)["check_runs"], key=lambda run: run["id"])
        return [{**run, "annotations": self._shown.annotations.get(run["id"], [])} for run in runs]

    def statuses(self, sha):
        """All commit statuses, newest first."""
        return self._shown.statuses.get((REPOSITORY, sha), [])

    def follow(self, bare):
        """Let the branches of a bare repository be the heads of pull requests that clients open."""
        self._shown.bare = Path(bare)

    def pulls(self):
        """All pull requests, oldest first."""
        told = self._do(OWNER, "GET", f"/repos/{REPOSITORY}/pulls?state=all&per_page=100")
        for pull in told:
            known = self._shown.heads.get((REPOSITORY, pull["number"]), pull["head"]["sha"])
            pull["head"]["sha"] = self._shown.tip(pull["head"]["ref"]) if pull["state"] == "open" else known
        return sorted(told, key=lambda pull: pull["number"])

    def open_pull(self, branch, title, body, login="someone"):
        """Somebody opens a pull request from a branch."""
        given = {"title": title, "head": f"{OWNER}:{branch}", "base": "main", "body": body}
        return self._do(login, "POST", f"/repos/{REPOSITORY}/pulls", given)["number"]

    def issues(self):
        """All issues, the newest first."""
        return self._do("acme", "GET", f"/repos/{self.repository}/issues?state=all")

    def open_issue(self, title, body, login="someone"):
        """Somebody opens an issue."""
        self._do(login, "POST", f"/repos/{self.repository}/issues", {"title": title, "body": body})

    def close_issue(self, number):
        """A person closes an issue."""
        self._do("acme", "PATCH", f"/repos/{self.repository}/issues/{number}", {"state": "closed"})

    def releases(self):
        """All releases, drafts too, oldest first, each with the content of its assets by name as `files`."""
        told = self._do(OWNER, "GET", f"/repos/{REPOSITORY}/releases?per_page=100")
        kept = self._shown.assets
        return [
            {**one, "files": {asset["name"]: kept[asset["id"]] for asset in one["assets"]}}
            for one in sorted(told, key=lambda one: one["id"])
        ]

    def overwrite(self, asset, content):
        """Let a file of a release have another content."""
        self._shown.assets[asset] = content

    def digests(self, told):
        """Whether the API says the digests of files, which older servers don't."""
        self._shown.digests = told

    def clear_faults(self):
        """Let nothing more go wrong."""
        self._shown.faults.clear()

    def deployments(self):
        """All deployments, oldest first, each with its `statuses`, newest first."""
        return self._shown.deployments

    def setting(self, path, answer):
        """What the repository's settings say at a path below it that the emulator does not know."""
        self._shown.settings[f"/repos/{REPOSITORY}{path}"] = answer

    def protect(self, *checks):
        """Let classic branch protection require checks on main."""
        needed = {"strict": False, "contexts": list(checks)}
        given = {"required_status_checks": needed, "enforce_admins": None}
        given |= {"required_pull_request_reviews": None, "restrictions": None}
        self._do(OWNER, "PUT", f"/repos/{REPOSITORY}/branches/main/protection", given)

    def fault(self, **given):
        """Let something go wrong; see `Fault`."""
        fault = Fault(**given)
        self._shown.faults.append(fault)
        return fault

    @property
    def exchanges(self):
        """Every request of clients so far, with its answer."""
        return tuple(self._shown.exchanges)

    @property
    def writes(self):
        """Method and path of every request that changed something, or tried to."""
        return [(one.method, one.path) for one in self.exchanges if one.method != "GET"]

    @property
    def problems(self):
        """What GitHub's own description of its API says against the exchanges so far."""
        return tuple(self._shown.problems)

    def event(self, number, kind="workflow_run", *, sha="", conclusion="success", run=1):
        """The payload of an event about a pull request: `workflow_run` (completed) or `pull_request`.

        As on GitHub, `workflow_run.pull_requests` is empty for a fork.
        """
        pull = self._do(OWNER, "GET", f"/repos/{REPOSITORY}/pulls/{number}")
        head = {**pull["head"], "sha": sha or self._shown.heads[REPOSITORY, number]}
        repository = pull["base"]["repo"]
        if kind == "pull_request":
            shown = {**pull, "head": head}
            return {"action": "synchronize", "number": number, "pull_request": shown, "repository": repository}
        same = head["repo"]["full_name"] == REPOSITORY
        listed = {"id": pull["id"], "number": number, "head": {"ref": head["ref"], "sha": head["sha"]}}
        told = {
            "id": run,
            "name": "mlci",
            "event": "pull_request",
            "status": "completed",
            "conclusion": conclusion,
            "head_branch": head["ref"],
            "head_sha": head["sha"],
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{run}",
            "pull_requests": [listed] if same else [],
            "head_repository": head["repo"],
            "repository": repository,
        }
        return {"action": "completed", "workflow_run": told, "repository": repository}

    def _do(self, login, method, path, given=None):
        """Ask the emulator itself: what tests do is no exchange of a client's."""
        body = self._shown.swap(json.dumps(given).encode()) if given is not None else b""
        inner = self._shown.swap(path.encode()).decode()
        status, _, answer = self._proxy.ask(method, inner, body, f"inner-{login}")
        assert status < 300, (method, path, status, answer)
        return json.loads(self._shown.swap(answer, back=True)) if answer else None
