"""The runtime, fetched once; the flights' model as a folder and a page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import embed_models
import pandas as pd
import pytest
import yaml
from embed_runtime import cached
from threadpoolctl import threadpool_limits

from mlci.edges.signing import Trust
from mlci.errors import WorldError
from mlci.flows.embed import embed as flow
from mlci.flows.market import Market
from mlci.flows.serve_sources import Order

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def runtime():
    try:
        return cached()
    except WorldError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def run_embed(runtime, *arguments, cwd=None, **variables):
    """The command, as a user runs it."""
    command = [sys.executable, "-m", "mlci", "model", "embed", *map(str, arguments)]
    if runtime is not None:
        command += ["--runtime", str(runtime)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )


@pytest.fixture(scope="session")
def embed(runtime, tmp_path_factory):
    """Write the folder of a model, with examples out of a table."""

    def written(model, frame=None, project=None):
        out = tmp_path_factory.mktemp("embedded")
        data = None
        if frame is not None:
            data = out / "examples.parquet"
            frame.to_parquet(data)
        order = Order(project or out, "params.yaml", str(model), {}, Market("", "", "", Trust()), lambda _: None)
        flow(order, out / "page", runtime=runtime, data=data)
        return out / "page"

    return written


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The reference project with January's flights as its test table, and the model as it is committed."""
    root = tmp_path_factory.mktemp("flights")
    for folder in ("data", "models"):
        (root / folder).mkdir()
    shutil.copy(REPOSITORY / "data/ingest.py", root / "data")
    shutil.copy(REPOSITORY / "models/model.onnx", root / "models")
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    params["data"]["until"] = "2013-01"
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run([sys.executable, "data/ingest.py"], cwd=root, check=True, capture_output=True)
    shutil.copy(root / "data/flights.parquet", root / "data/test.parquet")
    return root


@pytest.fixture(scope="session")
def flights(project):
    """Ten thousand of them."""
    return pd.read_parquet(project / "data/flights.parquet").sample(10_000, random_state=0)


@pytest.fixture(scope="session")
def flights_page(project, embed):
    return embed("", project=project)


@pytest.fixture
def opened(browser):
    """Open pages; at the end none of them may have asked for anything."""
    pages = []

    def page(folder, **options):
        pages.append(embed_models.Page(browser, folder, **options))
        return pages[-1]

    yield page
    for one in pages:
        one.close()


@pytest.fixture(scope="session")
def plain(embed, tmp_path_factory):
    """A small model of three numbers."""
    model, frame = embed_models.without_texts(tmp_path_factory.mktemp("plain") / "model.onnx")
    return embed(model, frame)
