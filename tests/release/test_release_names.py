"""What people may call a release, where its repository lives, and which folder of it is meant."""

from __future__ import annotations

import subprocess

import pytest

from mlci.flows.forge_access import home
from mlci.flows.registry import project_of
from mlci.flows.resolve import Asked


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("flights@v1.2.0", Asked("flights", version="v1.2.0")),
        ("refs/tags/flights@v1.2.0", Asked("flights", version="v1.2.0")),
        ("flights#prod", Asked("flights", stage="prod")),
        ("flights@latest", Asked("flights", version="latest")),
        ("services/eta:flights@latest", Asked("services/eta:flights", version="latest")),
        ("services/eta=flights#prod", Asked("services/eta:flights", stage="prod")),
        ("flights#prod#3", None),
        ("flights@v1.2.0!", None),
        ("flights@deprecated", None),
        ("flights", None),
        ("flights-v1.2.0.tar.gz", None),
        ("../x@latest", None),
    ],
)
def test_names(text, read):
    assert Asked.read(text) == read


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("https://github.com/acme/flights.git", "acme/flights"),
        ("https://token@github.com/acme/flights", "acme/flights"),
        ("git@github.com:acme/flights.git", "acme/flights"),
        ("ssh://git@github.com/acme/flights.git", "acme/flights"),
        ("ssh://git@ssh.github.com:443/acme/flights.git", "acme/flights"),
        ("https://git.example.org/acme/flights", None),
        ("https://github.com/acme", None),
        ("/srv/git/flights.git", None),
        ("../origin.git", None),
    ],
)
def test_where_a_repository_lives(remote, repository):
    found = home(remote, {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "other/one"})
    assert (found.repository if found else None) == repository


def test_the_folder_of_a_project_among_several(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "services/eta").mkdir(parents=True)
    assert project_of(tmp_path, "refs/tags/services/eta=flights@v1.2.0") == tmp_path / "services/eta"
    assert project_of(tmp_path, "services/eta=flights#prod!#4") == tmp_path / "services/eta"
    assert project_of(tmp_path, "flights#prod#3") == tmp_path
    assert project_of(tmp_path, "..=flights#prod#3") == tmp_path
    assert project_of(tmp_path, "gone=flights#prod#3") == tmp_path
