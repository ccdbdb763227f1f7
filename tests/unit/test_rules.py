"""The table of rules: each fact once, and what loops over it."""

import ast
from pathlib import Path
from string import Formatter
from typing import get_args

import polars as pl
import pytest
from frames import sheet

from tasks.domain import clean, rules
from tasks.domain.clean import CLEANED
from tasks.domain.rules import RULES, Rule, Scope, Severity, cell_faults, codes
from tasks.domain.sources import COLUMNS, SOURCES

ROOT = Path(__file__).parents[2]
DECLARED_IN = {"tasks/domain/rules.py"}
MODULES = [
    path
    for folder in ("flows", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if str(path.relative_to(ROOT)) not in DECLARED_IN
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_of_a_rule_is_written_elsewhere(path: Path) -> None:
    texts = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
    assert [f"line {node.lineno}: {node.value}" for node in texts if node.value in RULES] == []


def test_every_rule_is_declared_once_under_its_own_name() -> None:
    declared = {name: rule for name, rule in vars(rules).items() if isinstance(rule, Rule)}
    assert [name.lower().replace("_", "-") for name in declared] == list(RULES)
    assert list(declared.values()) == list(RULES.values())


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    """The sentence goes on after an address and is ended by the line; the remedy is a sentence of its own."""
    assert rule.sentence == rule.sentence.strip() != ""
    assert rule.sentence[0].islower()
    assert rule.sentence[-1].isalnum() or rule.sentence.endswith(("{other}", ")"))
    assert rule.remedy[0].isupper()
    assert rule.remedy.endswith(".")
    for text in (rule.sentence, rule.remedy):
        assert {name for _, name, _, _ in Formatter().parse(text) if name is not None} <= {"other"}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_is_consistent(rule: Rule) -> None:
    assert rule.severity in get_args(Severity)
    assert rule.scope in get_args(Scope)
    assert (rule.scope == "whole") == (not rule.cases)
    assert (rule.disposition is not None) == (rule.scope in {"row", "choice", "unused"})
    assert rule.severity == "error" or rule.error_when == "always", "only an error can be softened"
    assert rule.severity == "error" or not rule.acceptable, "only an error can be accepted"
    assert not (rule.acceptable and rule.cases), "what is wrong with a cell is never acceptable"
    for case in rule.cases:
        assert case.column is None or case.column in COLUMNS[case.source]


def test_what_is_ignored_is_nothing_to_do() -> None:
    assert codes(disposition="ignored") == ["blank-row", "other-post-type", "unpublished-twin"]
    assert {RULES[code].remedy for code in codes(disposition="ignored")} == {"Nothing to do."}


def test_what_may_be_right_all_the_same_is_marked() -> None:
    assert {"unmatched", "stale-export", "counters-fell", "prices-moved"} <= set(codes(acceptable=True))
    assert not {"padded-keys", "no-product", "no-sales", "rounded-key", "check-failed"} & set(codes(acceptable=True))


@pytest.mark.parametrize("source", SOURCES)
def test_every_judged_cell_has_its_column_in_the_cleaned_rows(source: str) -> None:
    judged = {f"{column}__fault" for column in cell_faults(source)}
    assert judged == {name for name in CLEANED[source].column_names() if name.endswith("__fault")}


def test_the_first_rule_that_holds_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is declared is judged: nothing else has to be changed."""
    case = rules.Case("erp", "product_id", pl.col("product_id") == "9")
    monkeypatch.setitem(
        RULES, "lucky", Rule("lucky", "is 9", "Nothing.", scope="row", disposition="rejected", cases=(case,))
    )
    raw = sheet("erp", {"product_id": 9, "price": 1}, {"product_id": 8, "price": 1}, {})
    assert clean.clean_erp(raw).select("rule").collect()["rule"].to_list() == ["lucky", None, "blank-row"]
