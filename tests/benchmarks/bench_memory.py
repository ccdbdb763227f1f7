"""How much memory a month may take: the whole command, Prefect included, in a control group that the kernel enforces.

Not collected by `make test`, since the largest month takes minutes: `make bench-memory`. The Prefect server stays
outside of the bound, as it does where the month is deployed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from measure import NoBound, measure, memory_bound
from months import ROOT, month
from run import prefect_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url


def run(size: str, limit: int, server: str, folder: Path) -> None:
    """Publish the month of this size in at most `limit` bytes."""
    command = [sys.executable, "-m", "flows.cli", "run", "--month", "2025-05"]
    places = ["--source", month(size), "--destination", folder / "reports"]
    settings = {"PREFECT_API_URL": server, "PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(ROOT)}
    try:
        with memory_bound(limit) as bounded:
            measured = measure([*bounded, *command, *places], settings)
    except NoBound as error:
        pytest.skip(str(error))
    assert (folder / "reports" / "manifests" / "2025-05.json").exists()
    sys.stdout.write(f"{size}: {measured.peak / 1e6:,.0f} MB of {limit / 1e6:,.0f}, {measured.seconds:.1f} s\n")


@pytest.mark.parametrize(
    ("size", "megabytes"),
    [pytest.param("real", 260, id="real"), pytest.param("100k", 600, id="100k"), pytest.param("500k", 1800, id="500k")],
)
def test_a_month_of_this_size_is_published_within_this_memory(
    size: str, megabytes: int, server: str, tmp_path: Path
) -> None:
    run(size, megabytes * 10**6, server, tmp_path)


def test_the_bound_holds(server: str, tmp_path: Path) -> None:
    """Without this the tests above could pass with a bound that binds nothing."""
    with pytest.raises(RuntimeError, match="ended with"):
        run("real", 60 * 10**6, server, tmp_path)
