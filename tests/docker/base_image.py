"""The base image that the Dockerfile pins, and how the tests get it where no registry can be reached."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
(PINNED,) = re.findall(
    r"^ARG PYTHON_IMAGE=(python:\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
)
NEWEST = re.sub(r"^(python:\d+\.\d+)\.\d+", r"\1", PINNED).partition("@")[0]
"""The tag that moves with each patch and each update of Debian: python:3.13-slim."""


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Type a docker command."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="session", autouse=True)
def base_image() -> None:
    """The pinned image; without a registry the engine's own image of that Python, under the pinned name."""
    if shutil.which("docker") and docker("image", "inspect", PINNED).returncode and docker("pull", PINNED).returncode:
        docker("tag", NEWEST, PINNED)
