"""The parts of the README, the data dictionary and the list of rules that repeat the code."""

import pytest
from generated_pages import PAGES, ROOT, written


@pytest.mark.parametrize("page", PAGES)
def test_a_page_repeats_what_the_code_declares(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == written(page), "run `python tests/generated_pages.py`"
