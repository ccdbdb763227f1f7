"""The whole command against the usual way, at several sizes, side by side: `make bench SIZES="real 10k"`.

Per round each contender runs once, in a fresh process; bytecode is warm, generated months are kept between calls. What
both publish is compared before any figure is told. The tables are Markdown.
"""

import argparse
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import polars as pl
from measure import Measured, bare_environment, measure
from months import ROOT, SIZES, month

HERE = Path(__file__).parent
ROUNDS = {"real": 7, "10k": 5, "100k": 3, "500k": 1}
OURS, OWN_SERVER, USUAL, EMPTY = "monthly-sales", "monthly-sales, own server", "usual way", "empty flow"
STAGE = re.compile(r"^([a-z-]+) +.* ([0-9]+\.[0-9]{2}) s$", re.MULTILINE)
LABEL = "2025-05"
USUAL_PYTHON = Path(f"{sys.prefix}-bench") / "bin" / "python"

Runs = dict[str, list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=list(SIZES), metavar="SIZE", help=" ".join(SIZES))
    parser.add_argument("--rounds", type=int, help="rounds of every size; else fewer of the larger ones")
    options = parser.parse_args()
    if unknown := set(options.sizes) - set(SIZES):
        parser.error(f"{', '.join(unknown)} is no size; there are {', '.join(SIZES)}")
    with tempfile.TemporaryDirectory(prefix="monthly-sales-bench-") as scratch, prefect_server(Path(scratch)) as server:
        bench = Bench(Path(scratch), server)
        bench.warm_up()
        results = {size: bench.size(size, options.rounds or ROUNDS[size]) for size in options.sizes}
    told = [machine(), table(results), stages({size: runs[OURS] for size, runs in results.items()})]
    sys.stdout.write("\n\n".join(told) + "\n")


class Bench:
    """The contenders, with a scratch folder and a Prefect server that runs already."""

    def __init__(self, scratch: Path, server: str) -> None:
        self.scratch, self.server = scratch, server
        self.python, self.usual = Path(sys.executable), USUAL_PYTHON
        self.tasks = 0
        self.number = 0

    def warm_up(self) -> None:
        """Everything once, unmeasured: bytecode, the server's caches, the database of a server of one's own."""
        self.tasks = len(STAGE.findall(self._ours("real", self.server).log))
        self._ours("real", "")
        self._usual("real")
        self._empty()

    def size(self, size: str, rounds: int) -> Runs:
        """The runs of one size, a round after the other."""
        runs: Runs = defaultdict(list)
        for number in range(rounds):
            say(f"{size}, round {number + 1} of {rounds}")
            runs[OURS].append(self._ours(size, self.server))
            ours = self._destination()
            runs[USUAL].append(self._usual(size))
            compare(ours, self._destination())
            if size == "real":
                runs[OWN_SERVER].append(self._ours(size, ""))
                runs[EMPTY].append(self._empty())
        return runs

    def _ours(self, size: str, server: str) -> Measured:
        command = [self.python, "-m", "flows.cli", "run", "--month", LABEL, "--source", month(size)]
        return self._measure([*command, "--destination", self._destination(new=True)], server)

    def _usual(self, size: str) -> Measured:
        return self._measure([self.usual, HERE / "usual_way.py", month(size), self._destination(new=True)])

    def _empty(self) -> Measured:
        return self._measure([self.python, HERE / "empty_flow.py", self.tasks], self.server)

    def _measure(self, command: list[object], server: str = "") -> Measured:
        settings = {
            "PREFECT_API_URL": server,
            "PREFECT_HOME": str(self.scratch / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PYTHONPATH": str(ROOT),
        }
        return measure(command, settings)

    def _destination(self, *, new: bool = False) -> Path:
        self.number += new
        return self.scratch / f"reports-{self.number}"


@contextmanager
def prefect_server(scratch: Path) -> Iterator[str]:
    """A server of the benchmark's own, ready to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    server = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=bare_environment()
        | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_HOME": str(scratch / "prefect-server")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        say("waiting for a Prefect server")
        deadline = time.monotonic() + 180
        while not answers(f"{url}/health"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the Prefect server did not start")
            time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=60)


def answers(address: str) -> bool:
    """Whether there is a server at the address."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def compare(ours: Path, usual: Path) -> None:
    """Both ways must publish the same products and figures; z-scores may differ in the last place shown."""
    for name in ("premium_wines", "ordinary_wines"):
        left = pl.read_csv(ours / "wines" / f"{name}_{LABEL}.csv", infer_schema=False)
        right = pl.read_csv(usual / f"{name}.csv", infer_schema=False)
        scores = [frame["z_score"].cast(pl.Float64) for frame in (left, right)]
        same = left.drop("z_score").equals(right.drop("z_score"))
        if not same or ((scores[0] - scores[1]).abs() > 1.5e-6).any():
            raise RuntimeError(f"{name} differ between {ours} and {usual}")


def machine() -> str:
    """What it was measured on."""
    facts = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    cpu = next((value.strip() for name, value in facts.items() if name.strip() == "model name"), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    ours = ", ".join(f"{name} {version(name)}" for name in ("prefect", "polars", "xlsxwriter"))
    listed = (
        "from importlib.metadata import version\n"
        "print(', '.join(f'{name} {version(name)}' for name in ('pandas', 'openpyxl', 'duckdb')))"
    )
    usual = subprocess.check_output([USUAL_PYTHON, "-c", listed], text=True).strip()
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, load {load:.1f} at the end; CPython "
        f"{platform.python_version()}; {ours}; the usual way: {usual}."
    )


def table(results: dict[str, Runs]) -> str:
    """Seconds, CPU seconds and memory; ratios are the median of the rounds' own ratios."""
    lines = [
        "| Products | Command | Runs | Seconds min / median / max | times | CPU s, median | times | Peak MB, max |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size, runs in results.items():
        for name, measured in runs.items():
            seconds = sorted(run.seconds for run in measured)
            middle = statistics.median(seconds)
            wall, cpu = (ratio(runs[USUAL], measured, what) for what in ("seconds", "cpu"))
            lines.append(
                f"| {SIZES[size]:,} | {name} | {len(seconds)} | {seconds[0]:.2f} / {middle:.2f} / {seconds[-1]:.2f} "
                f"| {wall:.1f} | {statistics.median(run.cpu for run in measured):.2f} | {cpu:.1f} "
                f"| {max(run.peak for run in measured) / 1e6:,.0f} |"
            )
    return "\n".join(lines)


def ratio(usual: list[Measured], other: list[Measured], what: str) -> float:
    """How many times as long as the other the usual way takes."""
    pairs = zip(usual, other, strict=True)
    return statistics.median(getattr(one, what) / getattr(two, what) for one, two in pairs)


def stages(results: dict[str, list[Measured]]) -> str:
    """Median seconds of each stage, as the run's own log tells them, and what lies outside of all stages."""
    medians: dict[str, dict[str, float]] = defaultdict(dict)
    for size, runs in results.items():
        told = [[(name, float(seconds)) for name, seconds in STAGE.findall(run.log)] for run in runs]
        for name in (name for name, _ in told[0]):
            medians[name][size] = statistics.median(dict(one)[name] for one in told)
        # The three workbooks are read at the same time, so the longest of them counts.
        outside = [
            run.seconds
            - sum(seconds for name, seconds in one if not name.startswith("convert-"))
            - max(seconds for name, seconds in one if name.startswith("convert-"))
            for run, one in zip(runs, told, strict=True)
        ]
        medians["imports, Prefect, exit"][size] = statistics.median(outside)
    heads = " | ".join(f"{SIZES[size]:,}" for size in results)
    lines = [f"| Stage, seconds | {heads} |", "| --- |" + " ---: |" * len(results)]
    for name, row in medians.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[size]:.2f}" for size in results) + " |")
    return "\n".join(lines)


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
