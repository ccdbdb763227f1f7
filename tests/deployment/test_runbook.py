"""What deployments/README.md counts and promises."""

import re

import pytest
from project import ROOT

RUNBOOK = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:<!-- (.+?) -->\n)?```console\n(.+?)```", RUNBOOK, re.DOTALL)


def commands(text: str) -> list[str]:
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize(("mark", "block"), BLOCKS, ids=[commands(block)[0][:40] for _, block in BLOCKS])
def test_each_command_is_run_by_a_test_or_needs_an_account(mark: str, block: str) -> None:
    assert block
    assert mark == "account only" or (ROOT / mark.removeprefix("run by ")).is_file()


def test_the_first_set_up_has_the_stated_number_of_commands_and_values() -> None:
    section = RUNBOOK.partition("## First set-up")[2].partition("\n## ")[0]
    typed = commands(section)
    values = [value for line in typed if line.startswith("export ") for value in re.findall(r"\b[A-Z_]+=", line)]
    assert "nine commands and five values" in " ".join(section.split())
    assert len([line for line in typed if not line.startswith("export ")]) == 9
    assert len(values) == 5


@pytest.mark.parametrize("program", ["prefect", "monthly-sales", "prefect-aws"])
def test_a_program_of_the_project_is_called_one_way(program: str) -> None:
    for _, block in BLOCKS:
        for command in commands(block):
            assert not command.startswith(f"{program} ")
