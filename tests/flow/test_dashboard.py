"""The dashboard in a real browser: what a run shows is really there to be seen, and data is nothing but text."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hostile.spoiled import Spoil, SpoiledMonth, spoiled_month
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from websockets.sync.client import connect

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused
from tasks.domain.sources import Source

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOKS = ["", "/v2"]
"""The paths of the dashboard's two versions."""

HOSTILE = "<img src=x onerror=alert(1)> [a](http://evil) https://evil | `b`"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, the browser of the tests")


_IS_VISIBLE = """(text => {
    const has = element => (element.innerText || '').includes(text);
    const inner = [...document.querySelectorAll('body *')].filter(e => has(e) && ![...e.children].some(has));
    return inner.some(element => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === 'visible';
    });
})(%s)"""


class Page:
    """A page of a headless browser, over the protocol of its developer tools."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.asked = 0

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.asked:
                return answer["result"]

    def value(self, script: str) -> Any:
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, address: str, until: str) -> None:
        """Go to an address, and wait until this text is there."""
        self.ask("Page.navigate", url=address)
        deadline = time.monotonic() + 60
        while until not in (self.value("document.body ? document.body.innerText : ''") or ""):
            assert time.monotonic() < deadline, (
                f"{address} never shows {until!r}: {self.value('document.body.innerText')}"
            )
            time.sleep(0.2)

    def sees(self, text: str) -> bool:
        """Whether an innermost element with this text is soon visible; a page may draw itself twice."""
        deadline = time.monotonic() + 20
        while not self.value(_IS_VISIBLE % json.dumps(text)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    @property
    def links_and_images_of_the_data(self) -> int:
        return self.value("document.querySelectorAll('a[href*=evil], img[src=x]').length")


@contextmanager
def browser(folder: Path, scheme: str) -> Iterator[Page]:
    """A browser of its own, with a light or a dark desktop."""
    process = subprocess.Popen(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
         "--remote-allow-origins=*", "--window-size=1400,1000", f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port_file, deadline = folder / "DevToolsActivePort", time.monotonic() + 60
        while not port_file.exists() or len(port_file.read_text().splitlines()) < 2:
            assert process.poll() is None, "the browser ended at its start"
            assert time.monotonic() < deadline, "the browser did not start within a minute"
            time.sleep(0.1)
        port = port_file.read_text().splitlines()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            target = next(one for one in json.load(answer) if one["type"] == "page")
        with connect(target["webSocketDebuggerUrl"], max_size=None, open_timeout=60) as socket:
            page = Page(socket)
            page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            yield page
    finally:
        process.terminate()
        process.wait(timeout=30)


def artifact(key: str) -> str:
    """The id of the newest artifact of this key."""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])), sort=ArtifactSort.CREATED_DESC, limit=1
        )
    return str(found[0].id)


def all_hostile(source: Source, column: str) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        for row in month.rows(source)[1:]:
            if source == "erp" or row[month.column(source, "post_type")] == "product":
                row[month.column(source, column)] = HOSTILE

    return spoil


@pytest.fixture(scope="module")
def shown(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By key, the artifacts of a month with hostile titles and of a refused one."""
    assert prefect_server
    folder = tmp_path_factory.mktemp("hostile")
    months = {"2025-05": ("web", "post_title"), "2025-06": ("erp", "price")}
    for month, (source, column) in months.items():
        spoiled_month(folder / month, all_hostile(source, column))
    monthly_sales(month="2025-05", source=str(folder / "2025-05"), destination=str(folder / "reports"))
    with pytest.raises(DataRefused):
        monthly_sales(month="2025-06", source=str(folder / "2025-06"), destination=str(folder / "other"))
    return {key: artifact(key) for key in ("monthly-summary", "data-quality", "refused-issues")}


@pytest.mark.parametrize("look", LOOKS, ids=["first version", "second version"])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_headline_chart_and_tables_are_really_visible_and_data_is_text(
    shown: dict[str, str], prefect_server: str, tmp_path: Path, look: str, scheme: str
) -> None:
    server = prefect_server.removesuffix("/api")
    with browser(tmp_path, scheme) as page:
        page.open(f"{server}{look}/artifacts/artifact/{shown['monthly-summary']}", until="Files")
        for text in (
            "Wine sales · snapshot of 15 May 2025",
            "€25,236.60",
            "████████",
            "Out of stock",
            "Web shop",
            "manifests/2025-05.json",
        ):
            assert page.sees(text), text
        assert page.sees("<img src=x onerror=alert(1)>")
        assert page.value("document.querySelectorAll('table').length") >= 3
        assert page.links_and_images_of_the_data == 0

        page.open(f"{server}{look}/artifacts/artifact/{shown['data-quality']}", until="is not a product of the web")
        assert page.sees("is not a whole number from 0")

        page.open(f"{server}{look}/artifacts/artifact/{shown['refused-issues']}", until="is not a number")
        assert page.sees("Correct the cell, then run again.")
        assert "is not a whole number from 0" not in page.value("document.body.innerText")  # a warning
        assert page.links_and_images_of_the_data == 0
