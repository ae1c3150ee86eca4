import pytest
from shop import make


@pytest.fixture
def project(tmp_path):
    return make(tmp_path)
