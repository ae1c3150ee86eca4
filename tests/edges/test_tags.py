"""Tags in real repositories, beside GTO's own reading of them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import git
import gto.api
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlci.edges.git import History
from mlci.edges.tags import NewTag, Tags
from mlci.errors import WorldError
from mlci.nouns.registry import Event, Registry, TagName

COMMITS = 4
# After the commits: GTO takes the commit that annotates a model for an event too.
START = datetime(2040, 1, 1, tzinfo=UTC)

Step = tuple[str, str, int, str]


def repository(root: Path) -> git.Repo:
    repo = git.Repo.init(root, initial_branch="main")
    with repo.config_writer() as config:
        config.set_value("user", "name", "Ada")
        config.set_value("user", "email", "ada@example.org")
    for place in range(COMMITS):
        (root / "model.txt").write_text(str(place))
        repo.index.add(["model.txt"])
        repo.index.commit(f"Model {place}")
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> git.Repo:
    return repository(tmp_path / "repo")


@pytest.fixture
def shared(repo: git.Repo, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one bare repository."""
    bare = repo.clone(tmp_path / "bare.git", bare=True)
    clones = []
    for name in ("one", "two"):
        clone = git.Repo.clone_from(str(bare.git_dir), tmp_path / name)
        with clone.config_writer() as config:
            config.set_value("user", "name", name)
            config.set_value("user", "email", f"{name}@example.org")
        clones.append(tmp_path / name)
    return clones[0], clones[1]


def new(tag: str, commit: str = "HEAD", message: str = "why") -> NewTag:
    name = TagName.parse(tag)
    assert name is not None
    return NewTag(name, commit, message)


steps = st.lists(
    st.tuples(
        st.sampled_from(["register", "deregister", "assign", "unassign", "deprecate"]),
        st.sampled_from(["flights", "eta:fares"]),
        st.integers(0, COMMITS - 1),
        st.sampled_from(["dev", "prod"]),
    ),
    max_size=14,
)


def tell(events: list[Step]) -> list[tuple[TagName, int]]:
    """A history that GTO accepts: stages are given to released commits, which have one version each."""
    told: list[tuple[TagName, int]] = []
    released: set[tuple[str, int]] = set()
    names: set[str] = set()
    for counter, (action, artifact, commit, stage) in enumerate(events, 1):
        version = f"v1.{commit}.0"
        match action:
            case "register":
                name = TagName("register", artifact, version=version, counter=counter)
                released.add((artifact, commit))
            case "deregister":
                name = TagName("deregister", artifact, version=version, counter=counter)
            case "deprecate":
                name = TagName("deprecate", artifact, counter=counter)
            case "assign":
                name = TagName("assign", artifact, stage=stage, counter=counter)
            case _:
                name = TagName("unassign", artifact, stage=stage, counter=counter)
        if (artifact, commit) not in released or str(name) in names:
            continue
        names.add(str(name))
        told.append((name, commit))
    return told


def gto_view(root: Path) -> dict[str, tuple[str | None, dict[str, str | None], bool]]:
    """Version, stages and whether it is active, of every model."""
    shown = gto.api.show(str(root), deprecated=True)
    return {name: (one["version"], one["stage"], one["active"]) for name, one in shown.items()}


def our_view(registry: Registry) -> dict[str, tuple[str | None, dict[str, str | None], bool]]:
    stages = sorted({stage for one in registry.artifacts.values() for stage in one.stages})
    return {
        name: (
            one.latest.version if one.latest else None,
            {stage: found.version if (found := one.in_stage(stage)) else None for stage in stages},
            one.deprecated is None,
        )
        for name, one in registry.artifacts.items()
    }


def history_of(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    return sorted((event.tag, event.commit) for event in events)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=steps)
def test_the_fold_is_that_of_gto(tmp_path_factory: pytest.TempPathFactory, events: list[Step]) -> None:
    root = tmp_path_factory.mktemp("fold")
    repo = repository(root)
    commits = [commit.hexsha for commit in repo.iter_commits()][::-1]
    tags = Tags(History(root))
    made = [NewTag(name, commits[commit], f"step {name}") for name, commit in tell(events)]
    tags.create(made, now=START)
    found = tags.read()
    registry = Registry.fold(found)
    theirs = gto_view(root)
    ours = our_view(registry)
    # GTO lists a stage only where some version was given it, over all models; where none was, both are empty.
    assert {
        name: (version, {k: v for k, v in stages.items() if v}, active)
        for name, (version, stages, active) in ours.items()
    } == {
        name: (version, {k: v for k, v in stages.items() if v}, active)
        for name, (version, stages, active) in theirs.items()
    }
    shown = gto.api.history(str(root))
    assert [event.tag for event in sorted(found, key=lambda one: one.at, reverse=True)] == [e["ref"] for e in shown]
    assert history_of(found) == sorted((e["ref"], e["commit"]) for e in shown)


def test_tags_are_dated_after_all_others_whatever_the_clock_says(repo: git.Repo) -> None:
    tags = Tags(History(Path(repo.working_dir)))
    (late,) = tags.create([new("flights@v1.0.0")], now=START)
    first, second = tags.create([new("flights#prod#1"), new("flights#prod!#2")], now=START - timedelta(days=1))
    assert late.at < first.at < second.at


def test_what_others_tagged_and_what_is_no_tag_of_ours(repo: git.Repo) -> None:
    repo.create_tag("flights@v9.0.0")  # lightweight: it names nobody
    repo.create_tag("v1.0", message="the code's own")
    repo.create_tag("flights@v1.0.0", message="first\n\nwith\x00notes".replace("\x00", " "))
    (event,) = Tags(History(Path(repo.working_dir))).read()
    assert (event.tag, event.author, event.email) == ("flights@v1.0.0", "Ada", "ada@example.org")
    assert event.message == "first\n\nwith notes"


def test_all_tags_are_pushed_or_none(shared: tuple[Path, Path]) -> None:
    one, two = (Tags(History(root)) for root in shared)
    one.create([new("flights@v1.0.0")])
    with pytest.raises(WorldError, match=r"exists at origin already: somebody was faster"):
        two.create([new("flights#prod#1"), new("flights@v1.0.0")])
    assert two.read() == ()
    two.fetch()
    assert [event.tag for event in two.read()] == ["flights@v1.0.0"]


def test_a_remote_of_another_name_is_shared_with(shared: tuple[Path, Path]) -> None:
    one, two = shared
    git.Repo(one).git.execute(["git", "remote", "rename", "origin", "upstream"])
    tags = Tags(History(one))
    assert tags.shared
    tags.create([new("flights@v1.0.0")])
    Tags(History(two)).fetch()
    assert [event.tag for event in Tags(History(two)).read()] == ["flights@v1.0.0"]


def test_two_that_tag_at_once(shared: tuple[Path, Path]) -> None:
    outcomes: list[str] = []

    def release(root: Path) -> None:
        try:
            Tags(History(root)).create([new("flights@v1.0.0", message=root.name)])
            outcomes.append("made")
        except WorldError:
            outcomes.append("refused")

    threads = [threading.Thread(target=release, args=(root,)) for root in shared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused"]


def test_a_moved_tag_is_named(shared: tuple[Path, Path]) -> None:
    one, two = shared
    Tags(History(one)).create([new("flights@v1.0.0")])
    Tags(History(two)).fetch()
    mover = git.Repo(one)
    mover.git.execute(["git", "tag", "--force", "--annotate", "--message", "moved", "flights@v1.0.0", "HEAD~1"])
    mover.git.execute(["git", "push", "--force", "--quiet", "origin", "refs/tags/flights@v1.0.0"])
    with pytest.raises(WorldError, match=r"flights@v1\.0\.0 is another one at origin: somebody moved it"):
        Tags(History(two)).fetch()


def test_a_refusing_remote_leaves_no_tag_behind(shared: tuple[Path, Path], tmp_path: Path) -> None:
    hook = tmp_path / "bare.git" / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho 'tags are protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    tags = Tags(History(shared[0]))
    with pytest.raises(WorldError, match="refused the tags") as refused:
        tags.create([new("flights@v1.0.0")])
    assert "whoever may push tags may promote" in refused.value.mend
    assert tags.read() == ()


def test_the_same_tag_twice(repo: git.Repo) -> None:
    tags = Tags(History(Path(repo.working_dir)))
    tags.create([new("flights@v1.0.0")])
    with pytest.raises(WorldError, match=r"flights@v1\.0\.0 exists already"):
        tags.create([new("flights@v1.0.0")])


def test_an_unknown_tagger(repo: git.Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    with repo.config_writer() as config:
        config.remove_section("user")
        config.set_value("user", "useConfigOnly", "true")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(WorldError, match="doesn't know who you are"):
        Tags(History(Path(repo.working_dir))).create([new("flights@v1.0.0")])


def test_a_remote_that_is_gone(shared: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "bare.git").rename(tmp_path / "elsewhere.git")
    with pytest.raises(WorldError, match="can't be fetched"):
        Tags(History(shared[0])).fetch()
