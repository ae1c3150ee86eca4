"""What GitHub sends: events with the fields that workflows and mlci read."""


def repository(name, branch="main"):
    owner = name.split("/")[0]
    return {
        "id": 1,
        "name": name.split("/")[1],
        "full_name": name,
        "private": False,
        "default_branch": branch,
        "owner": {"login": owner, "id": 2, "type": "Organization"},
        "html_url": f"https://github.com/{name}",
        "url": f"https://api.github.com/repos/{name}",
    }


def pull_request(name, number, *, head, head_ref, base, head_repository=None, action="opened"):
    """A `pull_request` event.

    Args:
        name: The repository.
        number: Of the pull request.
        head: The commit at its head.
        head_ref: The branch's name.
        base: The commit that it is to be merged into.
        head_repository: The fork it comes from.
        action: What happened to it.
    """
    source = head_repository or name
    return {
        "action": action,
        "number": number,
        "pull_request": {
            "number": number,
            "state": "open",
            "title": "A change",
            "head": {
                "sha": head,
                "ref": head_ref,
                "label": f"{source.split('/')[0]}:{head_ref}",
                "repo": repository(source),
            },
            "base": {"sha": base, "ref": "main", "label": f"{name.split('/')[0]}:main", "repo": repository(name)},
            "html_url": f"https://github.com/{name}/pull/{number}",
        },
        "repository": repository(name),
        "sender": {"login": source.split("/")[0], "type": "User"},
    }


def workflow_run(pull, run_id, conclusion, *, event="pull_request"):
    """The `workflow_run` event that follows a run for a pull request.

    GitHub names the pull request of a branch of the same repository, and none of a fork's.
    """
    change, base = pull["pull_request"], pull["repository"]
    same = change["head"]["repo"]["full_name"] == base["full_name"]
    short = {
        "id": change["number"],
        "number": change["number"],
        "url": f"{base['url']}/pulls/{change['number']}",
        "head": {
            "sha": change["head"]["sha"],
            "ref": change["head"]["ref"],
            "repo": {"id": 1, "name": base["name"], "url": base["url"]},
        },
        "base": {
            "sha": change["base"]["sha"],
            "ref": "main",
            "repo": {"id": 1, "name": base["name"], "url": base["url"]},
        },
    }
    return {
        "action": "completed",
        "workflow": {"id": 5, "name": "mlci", "path": ".github/workflows/pr.yml", "state": "active"},
        "workflow_run": {
            "id": run_id,
            "name": "mlci",
            "path": ".github/workflows/pr.yml",
            "event": event,
            "status": "completed",
            "conclusion": conclusion,
            "run_attempt": 1,
            "run_number": 1,
            "head_branch": change["head"]["ref"],
            "head_sha": change["head"]["sha"],
            "head_repository": change["head"]["repo"],
            "repository": base,
            "html_url": f"{base['html_url']}/actions/runs/{run_id}",
            "artifacts_url": f"{base['url']}/actions/runs/{run_id}/artifacts",
            "pull_requests": [short] if same else [],
        },
        "repository": base,
        "sender": pull["sender"],
    }


def push(name, before, after, ref="refs/heads/main"):
    """A `push` event."""
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "head_commit": {"id": after, "message": "Merged"},
        "commits": [{"id": after, "message": "Merged", "added": [], "removed": [], "modified": []}],
        "repository": repository(name),
        "sender": {"login": name.split("/")[0], "type": "User"},
    }
