"""Fixtures for what talks to a forge.

`github` is GitHub on this machine: https://emulate.dev behind a proxy. It has the repository `acme/flights`, the people
`acme` (its owner), `mallory` (has a fork once `pull(…, fork="mallory")` opened one), `robot`, `someone`, and the
workflows' own `github-actions[bot]`. Each test starts from nothing but these.

    github.url, github.repository        GITHUB_API_URL and GITHUB_REPOSITORY
    github.token()                       a GITHUB_TOKEN that may write; permissions={} is a fork's, which may not
    github.token("robot")                a classic personal token
    github.pull("branch", sha)           opens a pull request; fork="mallory"; any 40 hex digits are a commit
    github.push(number, sha)             moves its head
    github.event(number)                 payload of `workflow_run`, or kind="pull_request"
    github.comments(number), .checks(sha), .statuses(sha)      what is there now
    github.fault(status=429, headers={"Retry-After": "1"}, method="POST", path="/comments$", times=2)
    github.fault(drop="after"), (delay=1), (wait=2)            see forge_faults.Fault
    github.exchanges, .writes            what clients asked

When the test ends, every exchange must have conformed to GitHub's own OpenAPI description.
"""
