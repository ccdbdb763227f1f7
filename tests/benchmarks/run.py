"""The whole command against two scripts, at several sizes, side by side: `make bench SIZES="real 10k"`.

Per round each contender runs once, in a fresh process; bytecode is warm, generated months are kept between calls. What
all of them publish is compared before any figure is printed. The tables are Markdown. The benchmark fails where a stage
grows faster than its rows.
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
from itertools import pairwise
from pathlib import Path

import polars as pl
from measure import Measured, bare_environment, measure
from months import ROOT, SIZES, month

HERE = Path(__file__).parent
ROUNDS = {"real": 7, "10k": 5, "100k": 3, "500k": 1}
OURS, OWN_SERVER, EMPTY = "monthly-sales", "monthly-sales, own server", "empty flow"
USUAL, LEAN = "usual way", "lean way"
STAGE = re.compile(r"^([a-z-]+) +.* ([0-9]+\.[0-9]{2}) s$", re.MULTILINE)
LABEL = "2025-05"
USUAL_PYTHON = Path(f"{sys.prefix}-bench") / "bin" / "python"
SMALLEST = "10k"
"""Growth counts from here: a smaller month is start-up."""
SLACK, LOGGED = 1.3, 0.005
"""What a stage may grow faster than its rows, and how far a second in the log may be off."""

Runs = dict[str, list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=list(SIZES), metavar="SIZE", help=" ".join(SIZES))
    parser.add_argument("--rounds", type=int, help="rounds of every size; else fewer of the larger ones")
    parser.add_argument("--without-usual", action="store_true", help="leave out what takes five minutes at 500k")
    options = parser.parse_args()
    if unknown := set(options.sizes) - set(SIZES):
        parser.error(f"{', '.join(unknown)} is no size; there are {', '.join(SIZES)}")
    about = machine()
    with tempfile.TemporaryDirectory(prefix="monthly-sales-bench-") as scratch, prefect_server(Path(scratch)) as server:
        usual = {} if options.without_usual else {USUAL: USUAL_PYTHON}
        bench = Bench(Path(scratch), server, {LEAN: Path(sys.executable)} | usual)
        bench.warm_up()
        results = {size: bench.size(size, options.rounds or ROUNDS[size]) for size in options.sizes}
    seconds = stage_seconds({size: runs[OURS] for size, runs in results.items()})
    sys.stdout.write("\n\n".join([about, table(results), stage_table(seconds, list(results))]) + "\n")
    if too_slow := fast_growing(seconds):
        sys.exit("\n".join(too_slow))


class Bench:
    """The contenders, with a scratch folder and a Prefect server that runs already."""

    def __init__(self, scratch: Path, server: str, scripts: dict[str, Path]) -> None:
        self.scratch, self.server, self.scripts = scratch, server, scripts
        self.tasks = 0
        self.number = 0

    def warm_up(self) -> None:
        """Everything once, unmeasured: bytecode, the server's caches, the database of a server of one's own."""
        self.tasks = len(STAGE.findall(self._ours("real", self.server).log))
        self._ours("real", "")
        for script in self.scripts:
            self._script(script, "real")
        self._empty()

    def size(self, size: str, rounds: int) -> Runs:
        """The runs of one size, a round after the other."""
        runs: Runs = defaultdict(list)
        for number in range(rounds):
            say(f"{size}, round {number + 1} of {rounds}")
            runs[OURS].append(self._ours(size, self.server))
            ours = self._destination()
            for script in self.scripts:
                runs[script].append(self._script(script, size))
                compare(ours, self._destination())
            if size == "real":
                runs[OWN_SERVER].append(self._ours(size, ""))
                runs[EMPTY].append(self._empty())
        return runs

    def _ours(self, size: str, server: str) -> Measured:
        command = [sys.executable, "-m", "flows.cli", "run", "--month", LABEL, "--source", month(size)]
        return self._measure([*command, "--destination", self._destination(new=True)], server)

    def _script(self, name: str, size: str) -> Measured:
        script = HERE / f"{name.replace(' ', '_')}.py"
        return self._measure([self.scripts[name], script, month(size), self._destination(new=True)])

    def _empty(self) -> Measured:
        return self._measure([sys.executable, HERE / "empty_flow.py", self.tasks], self.server)

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


def compare(ours: Path, theirs: Path) -> None:
    """All must publish the same products and figures; z-scores may differ in the last place shown."""
    for name in ("premium_wines", "ordinary_wines"):
        left = pl.read_csv(ours / "wines" / f"{name}_{LABEL}.csv", infer_schema=False)
        right = pl.read_csv(theirs / f"{name}.csv", infer_schema=False)
        scores = [frame["z_score"].cast(pl.Float64) for frame in (left, right)]
        same = left.drop("z_score").equals(right.drop("z_score"))
        if not same or ((scores[0] - scores[1]).abs() > 1.5e-6).any():
            raise RuntimeError(f"{name} differ between {ours} and {theirs}")


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
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, load {load:.1f} at the start; CPython "
        f"{platform.python_version()}; {ours}; the usual way: {usual}."
    )


def table(results: dict[str, Runs]) -> str:
    """Seconds, CPU seconds and memory; ratios are the median of the rounds' own ratios."""
    lines = [
        "| Products | Command | Runs | Seconds min / median / max | times ours | CPU s, median | Peak MB, max |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size, runs in results.items():
        for name, measured in runs.items():
            seconds = sorted(run.seconds for run in measured)
            middle = statistics.median(seconds)
            times = statistics.median(
                run.seconds / ours.seconds for run, ours in zip(measured, runs[OURS], strict=True)
            )
            lines.append(
                f"| {SIZES[size]:,} | {name} | {len(seconds)} | {seconds[0]:.2f} / {middle:.2f} / {seconds[-1]:.2f} "
                f"| {times:.2f} | {statistics.median(run.cpu for run in measured):.2f} "
                f"| {max(run.peak for run in measured) / 1e6:,.0f} |"
            )
    return "\n".join(lines)


def stage_seconds(results: dict[str, list[Measured]]) -> dict[str, dict[str, float]]:
    """Median seconds of each stage and size, as the run's own log has them, and of what is outside of all stages."""
    medians: dict[str, dict[str, float]] = defaultdict(dict)
    for size, runs in results.items():
        logged = [{name: float(seconds) for name, seconds in STAGE.findall(run.log)} for run in runs]
        for name in logged[0]:
            medians[name][size] = statistics.median(one[name] for one in logged)
        # The three workbooks are read at the same time, so the longest of them counts.
        outside = [
            run.seconds
            - sum(seconds for name, seconds in one.items() if not name.startswith("convert-"))
            - max(seconds for name, seconds in one.items() if name.startswith("convert-"))
            for run, one in zip(runs, logged, strict=True)
        ]
        medians["imports, Prefect, exit"][size] = statistics.median(outside)
    return medians


def stage_table(seconds: dict[str, dict[str, float]], sizes: list[str]) -> str:
    """The seconds of each stage, and what they grow by where the rows grow by 1."""
    grown = [size for size in sizes if SIZES[size] >= SIZES[SMALLEST]] or sizes
    first, last = grown[0], grown[-1]
    heads = " | ".join(f"{SIZES[size]:,}" for size in sizes)
    lines = [f"| Stage, seconds | {heads} | growth per row |", "| --- |" + " ---: |" * (len(sizes) + 1)]
    for name, row in seconds.items():
        growth = (row[last] / SIZES[last]) / ((row[first] + LOGGED) / SIZES[first])
        lines.append(f"| {name} | " + " | ".join(f"{row[size]:.2f}" for size in sizes) + f" | {growth:.2f} |")
    return "\n".join(lines)


def fast_growing(seconds: dict[str, dict[str, float]]) -> list[str]:
    """A sentence for each stage that grows faster than its rows between two sizes."""
    sentences = []
    for name, row in seconds.items():
        sizes = [size for size in row if SIZES[size] >= SIZES[SMALLEST]]
        for smaller, larger in pairwise(sizes):
            limit = SLACK * (row[smaller] + LOGGED) * SIZES[larger] / SIZES[smaller]
            if row[larger] > limit:
                sentences.append(
                    f"{name}: {row[larger]:.2f} s at {larger}, more than {limit:.2f} s, from {smaller} on."
                )
    return sentences


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
