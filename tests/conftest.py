"""Settings of every test: no run may touch the user's own Prefect, or call home."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tasks.storage.location import shared_client

sys.path.insert(0, str(Path(__file__).parent))
# Prefect reads these when it is first imported.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-home-")
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ.pop("PREFECT_API_URL", None)

# The same examples on every run, and on every machine; the long form looks for new ones.
settings.register_profile("default", max_examples=50, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=500, deadline=None, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _no_client_of_an_earlier_test() -> None:
    """A process makes one S3 client for all its requests; each test may have another server and other keys."""
    shared_client.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what only the long form of the tests runs."""
    if os.environ.get("HYPOTHESIS_PROFILE") != "long":
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="in the long form only: set HYPOTHESIS_PROFILE=long"))


@pytest.fixture(scope="session")
def real_workbooks() -> Path:
    """The folder with the merchant's own workbooks, which are not part of the project."""
    folder = os.environ.get("BOTTLENECK_WORKBOOKS")
    if not folder:
        pytest.skip("needs the real workbooks: set BOTTLENECK_WORKBOOKS to their folder")
    return Path(folder)
