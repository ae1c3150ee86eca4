from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Small models train quicker on one thread than on two that wait for each other.
    with threadpool_limits(limits=1):
        yield
