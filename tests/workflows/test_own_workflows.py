"""This repository's own workflows, and the form in which others use its action in one line."""

import shutil
import subprocess

import pytest
from pulls import edited, opened
from rendered_files import REPOSITORY, THEIRS, rendered

pytestmark = [pytest.mark.slow]

MAKEFILE = "setup:\n\t@ln -sfn $(TEST_VENV) .venv\n"


def test_ci_runs_what_a_laptop_runs(loop):
    edited(loop, "words", ("README.md", "Who buys?", "Who will buy?"))
    loop.project.write(".github/workflows/ci.yml", (REPOSITORY / ".github/workflows/ci.yml").read_text())
    loop.project.write(".ci/run", "git rev-parse HEAD\n")
    loop.project.commit()
    pull = opened(loop, "words")
    run = loop.measure(pull, "ci.yml", "ci")
    assert run.outcome == "success", run.story
    assert pull.head in run.story


def test_the_action_at_the_top_sets_a_project_up_as_it_says(loop):
    loop.project.git("switch", "--quiet", "more-steps")
    shutil.rmtree(loop.project.root / ".github")
    shutil.copytree(REPOSITORY / ".github", loop.project.root / ".github")
    loop.project.write("action.yml", (REPOSITORY / "action.yml").read_text())
    loop.project.write("Makefile", MAKEFILE)
    loop.project.commit()
    run = loop.measure(opened(loop, "more-steps"))
    assert run.outcome == "success", run.story
    assert run.outputs["outcome"] == "held"
    assert run.outputs["changed"] == "true"
    assert "Safe" in run.summary
    venv, install = loop.runner.uv_log.read_text().splitlines()
    assert venv == f"venv --quiet {install.split(' ')[4]}"
    assert install.startswith("pip install --quiet --python ")
    assert " mlci[github] @ file:///" in install
    assert install.endswith("/requirements/dev.txt")


def test_one_line_uses_the_action_of_another_repository(loop, tmp_path):
    edited(loop, "words", ("README.md", "Who buys?", "Who will buy?"))
    shutil.rmtree(loop.project.root / ".github")
    rendered(THEIRS["remote"], loop.project.root)
    loop.project.commit()
    published = tmp_path / "published"
    published.mkdir()
    shutil.copy(REPOSITORY / "action.yml", published)
    subprocess.run(["git", "init", "--quiet", published], check=True)
    pin = THEIRS["remote"].action.split(" ")[0]
    run = loop.measure(opened(loop, "words"), actions={pin: published})
    assert run.outcome == "success", run.story
    assert run.outputs["outcome"] == "held"
