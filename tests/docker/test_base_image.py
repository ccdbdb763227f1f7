"""A pinned base image gets no updates: CI says when it is stale."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from base_image import NEWEST, PINNED, docker


def test_the_pinned_base_image_is_the_one_that_its_registry_gives_for_this_python() -> None:
    pulled = docker("pull", "--quiet", NEWEST)
    if pulled.returncode:
        pytest.skip(f"{NEWEST} cannot be pulled, so {PINNED} is not compared with it: {pulled.stderr.strip()}")
    assert docker("pull", "--quiet", PINNED).returncode == 0
    pinned, newest = (docker("image", "inspect", "--format", "{{.Id}}", image).stdout for image in (PINNED, NEWEST))
    assert pinned == newest, f"{PINNED} is stale: {NEWEST} is newer. Change PYTHON_IMAGE in the Dockerfile."


def test_the_pinned_python_is_the_newest_patch_that_the_locked_uv_lists() -> None:
    """Without a registry: after `make lock`, uv knows the newest releases of CPython."""
    uv = Path(sys.executable).parent / "uv"
    listed = subprocess.run(
        [uv, "python", "list", "--offline", "--all-versions"], capture_output=True, text=True, timeout=60, check=True
    )
    minor = NEWEST.partition(":")[2].partition("-")[0]
    patches = [int(patch) for patch in re.findall(rf"^cpython-{re.escape(minor)}\.(\d+)-", listed.stdout, re.MULTILINE)]
    assert f":{minor}.{max(patches)}-" in PINNED
