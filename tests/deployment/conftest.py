"""One Prefect server for the tests of a module: its start takes most of their time."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import prefect_server


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    with prefect_server(tmp_path_factory.mktemp("server")) as url, temporary_settings({PREFECT_API_URL: url}):
        yield url


@pytest.fixture
def client(api: str) -> Iterator[SyncPrefectClient]:
    """A client of the server."""
    assert api
    with get_client(sync_client=True) as found:
        yield found
