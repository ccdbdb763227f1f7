"""The image of the Dockerfile, built and run by a real Docker engine: each of its claims as a fact."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from base_image import PINNED

ROOT = Path(__file__).parents[2]
IMAGE = "monthly-sales:test"
# What a job of the docker pool may do, and less: it has no network either.
CONFINED = (
    "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    "--user", "10001", "--network", "none",
)  # fmt: skip
LARGEST_MB = 165  # what the build adds, compressed; the base image is not ours to make smaller
SECRET = re.compile(
    rb"\b(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b"
    rb"|\bpn[ub]_\w{36}\b"
    rb"|\bgh[pousr]_\w{36}\b"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[\w+/]{40}"
)

AGREE = """
from importlib.metadata import distributions
from packaging.requirements import Requirement
installed = {d.metadata["Name"].lower().replace("_", "-").replace(".", "-"): d for d in distributions()}
for distribution in installed.values():
    for requirement in map(Requirement, distribution.requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = installed.get(requirement.name.lower().replace("_", "-").replace(".", "-"))
            if found is None or not requirement.specifier.contains(found.version, prereleases=True):
                print(distribution.metadata["Name"], "needs", requirement)
print(len(installed), "packages")
"""
COMPILED = """
import sys, pathlib, flows.monthly_sales, prefect.server.api.server
for name, module in sorted(sys.modules.items()):
    cached = getattr(module, "__cached__", None)
    # beartype imports one small module of its own with bytecode that only it makes.
    if cached and "opt-beartype" not in cached and not pathlib.Path(cached).is_file():
        print(name)
"""
STORES = """
import boto3
from prefect_aws import AwsCredentials, AwsSecret
for service in ("s3", "sts", "sso", "sso-oidc", "secretsmanager"):
    boto3.client(service, region_name="eu-west-3")
print(AwsCredentials(region_name="eu-west-3").get_s3_client().meta.service_model.service_name)
"""

LOADED = """
from prefect.flows import load_flow_from_entrypoint
print(load_flow_from_entrypoint("flows/monthly_sales.py:monthly_sales").name)
"""
OFFSETS = """
from datetime import datetime
from zoneinfo import ZoneInfo
for month in (1, 7):
    print(datetime(2025, month, 15, 9, tzinfo=ZoneInfo("Europe/Paris")).strftime("%z"))
"""


def docker(*arguments: object, timeout: int = 300) -> subprocess.CompletedProcess[str]:
    """Type a docker command."""
    return subprocess.run(
        ["docker", *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )


def build(context: Path, tag: str) -> None:
    """Build as a user does; it fails where `pip check` finds a fault."""
    built = docker("build", "--tag", tag, "--build-arg", "VERSION=1.0.0", context, timeout=1800)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]


def run(*command: str, options: tuple[str, ...] = CONFINED, image: str = IMAGE) -> subprocess.CompletedProcess[str]:
    """A command's output and exit code, in a container that is gone afterwards."""
    return docker("run", "--rm", *options, image, *command)


@pytest.fixture(scope="session", autouse=True)
def build_seconds() -> float:
    if shutil.which("docker") is None or docker("version", timeout=30).returncode:
        pytest.skip("needs a Docker engine: start one, or set DOCKER_HOST to its address")
    started = time.monotonic()
    build(ROOT, IMAGE)
    return time.monotonic() - started


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], object]:
    """Write a fact where whoever runs the tests sees it."""

    def write(fact: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {fact}\n")

    return write


@pytest.fixture(scope="session")
def layers(build_seconds: float, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """All layers as archives, with the files that later ones overwrite or remove."""
    assert build_seconds
    folder = tmp_path_factory.mktemp("layers")
    with (
        subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as saved,
    ):
        saved.extractall(folder, filter="data")
    found = [path for path in folder.rglob("*") if path.is_file() and tarfile.is_tarfile(path)]
    assert len(found) > 3
    yield found
    shutil.rmtree(folder)


def test_a_confined_container_publishes_a_month_of_the_sample(
    build_seconds: float, tell: Callable[[str], object]
) -> None:
    started = time.monotonic()
    done = run(
        "monthly-sales", "run", "--month", "2025-05", "--source", "data/{month}", "--destination", "/tmp/reports"
    )
    tell(f"built in {build_seconds:.0f} s; {time.monotonic() - started:.1f} s from docker run to published, own server")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert "Total revenue to date: €25,236.60; 11 premium, 10.1% of total" in lines
    assert "/tmp/reports/sales_reports/sales_report_2025-05.xlsx" in lines


def test_a_wrong_argument_ends_with_2() -> None:
    done = run("monthly-sales", "run", "--month", "2025-5")
    assert done.returncode == 2
    assert '"2025-5" is not a month' in done.stderr


def test_without_a_command_it_lists_the_commands() -> None:
    assert run().stdout.startswith("usage: monthly-sales ")


@pytest.mark.parametrize("user", [(), ("--user", "1234:0")], ids=["its own user", "a user the platform chose"])
def test_no_user_is_root_or_can_change_the_code(user: tuple[str, ...]) -> None:
    done = run("sh", "-c", "id -u; find /opt /usr/local -not -type l -writable", options=user)
    assert done.stdout.splitlines() == ["1234" if user else "10001"]
    assert docker("image", "inspect", "--format", "{{.Config.User}}", IMAGE).stdout == "10001:10001\n"


def test_nothing_can_be_compiled_or_installed_at_run_time() -> None:
    tools = "for tool in gcc cc c++ clang make ld pip pip3 uv; do command -v $tool; done"
    assert run("sh", "-c", tools).stdout == ""
    find = (
        "import importlib.util as u; print([m for m in ('pip', 'ensurepip', 'setuptools', 'wheel') if u.find_spec(m)])"
    )
    for python in ("/opt/venv/bin/python", "/usr/local/bin/python3"):
        assert run(python, "-c", find).stdout == "[]\n"


def test_the_installed_packages_agree() -> None:
    """What `pip check` said in the build, reckoned again without pip in what became of it."""
    done = run("python", "-c", AGREE)
    assert re.fullmatch(r"\d{3} packages\n", done.stdout), done.stdout + done.stderr


def test_nothing_that_a_run_imports_is_compiled_again() -> None:
    done = run("python", "-c", COMPILED)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_buckets_and_secrets_are_still_reached_without_the_other_services_of_aws() -> None:
    assert run("python", "-W", "error::DeprecationWarning:__main__", "-c", STORES).stdout == "s3\n"


def test_a_worker_finds_its_command_and_the_flow_by_its_path() -> None:
    assert run("python", "-c", LOADED).stdout == "monthly-sales\n"
    assert run("prefect", "flow-run", "execute", "--help").returncode == 0


def test_paris_has_its_summer_time() -> None:
    assert run("python", "-c", OFFSETS).stdout == "+0100\n+0200\n"


def test_it_is_no_larger_than_it_was(layers: list[Path], tell: Callable[[str], object]) -> None:
    base = docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", PINNED).stdout
    sizes: Counter[str] = Counter()
    compressed = 0
    for layer in layers:
        with layer.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() in base:
                continue
            content.seek(0)
            compressor = zlib.compressobj()
            compressed += sum(len(compressor.compress(block)) for block in iter(lambda: content.read(1 << 20), b""))
        with tarfile.open(layer) as archive:
            for member in archive:
                package = member.name.partition("/site-packages/")[2].split("/")[0].removesuffix(".libs")
                sizes["bytecode" if member.name.endswith(".pyc") else package] += member.size
    largest = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in sizes.most_common(8))
    unpacked = f"{sizes.total() / 1e6:.0f} unpacked: {largest}"
    tell(f"{compressed / 1e6:.0f} MB above the base image as a registry stores it, {unpacked}")
    assert compressed / 1e6 < LARGEST_MB


def test_no_layer_or_setting_contains_a_secret_or_an_unneeded_file(layers: list[Path]) -> None:
    suspicious = re.compile(r"(^|/)(\.git/.+|\.env|\.netrc|\.pypirc|credentials|id_[a-z0-9]+)$")
    found = [f"{member.name} {secret}" for layer in layers for member, secret in _secrets(layer, suspicious)]
    assert found == []
    settings = docker("image", "inspect", IMAGE).stdout + docker("history", "--no-trunc", IMAGE).stdout
    assert not SECRET.search(settings.encode())
    assert not re.search(r"(?i)password|token|secret_|api_key|://[^/\s]+@|index-url", settings)


def _secrets(layer: Path, suspicious: re.Pattern[str]) -> Iterator[tuple[tarfile.TarInfo, str]]:
    with tarfile.open(layer) as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            if suspicious.search(member.name) or "/monthly-sales/tests/" in member.name:
                yield member, "by its name"
            # Libraries have keys built in, to test themselves.
            elif ".so" not in member.name and member.size < 5_000_000:
                content = archive.extractfile(member)
                if content and (secret := SECRET.search(content.read())):
                    yield member, secret[0].decode()


def test_other_files_of_the_folder_are_not_in_the_image(tmp_path: Path) -> None:
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("flows", "tasks", "data", "deployments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    mark = "planted-4f1c"
    for name in (".env", ".git/config", "flows/.env", "tasks/domain/.env.local", "tests/key.py", "notes.txt",
                 "data/june.xlsx", "data/2025-05/notes.txt", "deployments/blocks.env",
                 "reports/manifests/2025-05.json"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mark, encoding="utf-8")
    build(tmp_path, "monthly-sales:planted")
    done = run("grep", "-rlF", mark, "/opt/monthly-sales", image="monthly-sales:planted")
    docker("image", "rm", "monthly-sales:planted")
    assert (done.returncode, done.stdout) == (1, "")


def test_labels_tell_what_it_is() -> None:
    labels = docker("image", "inspect", "--format", "{{json .Config.Labels}}", IMAGE).stdout
    assert '"org.opencontainers.image.version":"1.0.0"' in labels
    assert '"org.opencontainers.image.title":"BottleNeck monthly sales"' in labels
