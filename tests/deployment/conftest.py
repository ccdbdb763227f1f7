"""The tests' Prefect server, on which nothing is set up."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client


@pytest.fixture(scope="module")
def api(prefect_server: str) -> Iterator[str]:
    """Its address; what other modules have set up is deleted before, and what this one sets up after its tests."""
    clear()
    yield prefect_server
    clear()


def clear() -> None:
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
        for automation in client.read_automations():
            client.delete_automation(automation.id)
        for pool in client.read_work_pools():
            client.delete_work_pool(pool.name)


@pytest.fixture
def client(api: str) -> Iterator[SyncPrefectClient]:
    """A client of the server."""
    assert api
    with get_client(sync_client=True) as found:
        yield found
