"""What hostile months are compared with."""

import pytest
from hostile.spoiled import SAMPLE, run_flow, wine_files


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The wine files of the sample month as it is."""
    destination = tmp_path_factory.mktemp("plain") / "reports"
    run_flow(SAMPLE, destination)
    return wine_files(destination)
