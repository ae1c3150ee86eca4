"""`--commit` runs the pipeline, and commits what is new: nothing else that somebody is working on."""


def test_work_in_progress_stays_out_of_the_commit(repository):
    repository.write("train.py", "print('half')\n")
    repository.write("notes.md", "mine\n")
    repository.git("add", "notes.md")
    repository.init("--yes", "--label", "bought", "--commit")
    assert repository.git("status", "--porcelain").split("\n") == ["A  notes.md", " M train.py"]
    assert {"params.yaml", "dvc.yaml", "dvc.lock", "reports/data.json", ".dvc/config"} <= set(
        repository.git("show", "--name-only", "--format=", "HEAD").split()
    )


def test_a_pipeline_that_fails_is_told_and_not_committed(repository):
    repository.write("dvc.yaml", "stages:\n  train:\n    cmd: 'false'\n")
    repository.commit()
    head = repository.git("rev-parse", "HEAD")
    done = repository.init("--yes", "--label", "bought", "--commit", code=3)
    assert "failed to reproduce 'train'" in done.stderr
    assert repository.git("rev-parse", "HEAD") == head


def test_git_that_does_not_know_who_commits_is_told(repository):
    for name in list(repository.environment):
        if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER")):
            del repository.environment[name]
    repository.git("config", "user.useConfigOnly", "true")
    done = repository.init("--yes", "--label", "bought", "--commit", code=3)
    assert "git config --global user.name" in done.stderr


def test_a_second_run_has_nothing_to_commit(repository):
    repository.init("--yes", "--label", "bought", "--commit")
    head = repository.git("rev-parse", "HEAD")
    repository.init("--yes", "--commit")
    assert repository.git("rev-parse", "HEAD") == head
