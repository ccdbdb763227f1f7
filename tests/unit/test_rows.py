"""What becomes of each row: used, ignored with its kind, or rejected with a reason."""

from datetime import date

import pytest
from frames import month, product

from tasks.domain.issues import lines
from tasks.domain.ledger import count_rows, list_missing_sales

ERP, LIAISON, WEB = product(1)
OTHER = product(2)
STATUS = "Correct the cell, then run again."


def with_rows(*, erp: tuple = (), liaison: tuple = (), web: tuple = ()):
    """Two sound products, in rows 2 and 3 of every sheet, and then these rows."""
    return month([ERP, OTHER[0], *erp], [LIAISON, OTHER[1], *liaison], [WEB, OTHER[2], *web])


USED = [(2, "used", None), (3, "used", None)]


def test_a_product_in_all_three_is_used_in_all_three() -> None:
    result = with_rows()
    assert [result.dispositions(source) for source in ("erp", "liaison", "web")] == [USED, USED, USED]
    assert result.issues.is_empty()


@pytest.mark.parametrize(
    ("row", "disposition"),
    [
        pytest.param({}, ("ignored", "blank-row"), id="blank row"),
        pytest.param({"total_sales": 0}, ("ignored", "blank-row"), id="padding with a zero"),
        pytest.param({"post_title": "Only a title"}, ("ignored", "blank-row"), id="a title and nothing else"),
        pytest.param(
            {"sku": 10_001, "post_type": "attachment", "total_sales": 7}, ("ignored", "other-post-type"),
            id="picture of a product",
        ),
        pytest.param(
            {"sku": "v-1", "post_type": "product_variation", "total_sales": 0}, ("ignored", "other-post-type"),
            id="variation without sales",
        ),
        pytest.param(
            {"sku": "o-1", "post_type": "shop_order", "total_sales": 7}, ("ignored", "other-post-type"),
            id="a type that sells nothing",
        ),
        pytest.param({"post_type": "product", "total_sales": 3}, ("rejected", "no-key"), id="product without a sku"),
        pytest.param(
            {"sku": 9, "post_type": " PRODUCT\u00a0", "total_sales": 3}, ("rejected", "unlinked-sales"), id="no link",
        ),
        pytest.param(
            {"sku": "1 2", "post_type": "product", "total_sales": 0}, ("rejected", "unreadable-key"),
            id="blank inside the sku",
        ),
    ],
)  # fmt: skip
def test_a_web_row_that_is_not_used_has_a_reason(row: dict, disposition: tuple[str, str]) -> None:
    result = with_rows(web=(row,))
    assert result.dispositions("web") == [*USED, (4, *disposition)]
    assert result.errors() == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param({"product_id": 3, "price": 5, "onsale_web": 0}, "not-sold-online", id="not sold online"),
        pytest.param({"product_id": 3, "price": 5, "onsale_web": 1}, "on-sale-unlinked", id="sold online, no link"),
        pytest.param({"product_id": 3, "price": 5}, "no-partner", id="no flag"),
        pytest.param({"price": 5}, "no-key", id="no key"),
        pytest.param({"product_id": ("date", "2025-05-01")}, "unreadable-key", id="a date for a key"),
    ],
)
def test_an_erp_row_that_is_not_used_has_a_reason(row: dict, reason: str) -> None:
    result = with_rows(erp=(row,))
    assert result.dispositions("erp") == [*USED, (4, "rejected", reason)]
    assert result.errors() == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param({"product_id": 2, "id_web": None}, "no-web-id", id="no link"),
        pytest.param({"product_id": 1, "id_web": 99}, "unknown-web-id", id="dead second link"),
        pytest.param({"product_id": 3, "id_web": 10_001}, "unknown-product", id="link from nowhere"),
        pytest.param({"id_web": 10_001}, "no-key", id="no key"),
        pytest.param({"product_id": "1.0", "id_web": "10001.0"}, "repetition", id="the same link in other words"),
        pytest.param({"product_id": "1 2", "id_web": 10_001}, "unreadable-key", id="blank inside the key"),
        pytest.param({"product_id": 2, "id_web": "1 2"}, "unreadable-key", id="blank inside the sku"),
    ],
)
def test_a_link_that_is_not_used_has_a_reason(row: dict, reason: str) -> None:
    result = with_rows(liaison=(row,))
    assert result.dispositions("liaison") == [*USED, (4, "rejected", reason)]
    assert result.errors() == []


def test_a_rejected_sale_shows_its_units() -> None:
    result = with_rows(web=({"post_type": "product", "total_sales": 13, "post_title": "No sku"},))
    assert result.warnings() == [
        'web.xlsx [Sheet1] A4, sku: "13 units" is empty: the row cannot be joined. Fill in the key.'
    ]
    assert result.ledger.filter(source="web").select("units").sum().collect().item() == 13


def test_sales_that_are_in_no_figure_are_listed_by_units_and_rows_without_sales_are_not() -> None:
    rows = [
        {"post_type": "product", "total_sales": 3, "post_title": "No sku"},
        {"sku": "x", "post_type": "product", "total_sales": 13, "post_title": "Not linked"},
        {"sku": "y", "post_type": "product", "total_sales": 0, "post_title": "Not sold"},
        {**WEB, "post_title": "Once more"},
    ]
    result = with_rows(web=tuple(rows))
    assert list_missing_sales(result.ledger, result.cleaned.web).collect().rows() == [
        ("x", "Not linked", 13, "unlinked-sales"),
        ("4", "No sku", 3, "no-key"),
    ]


def test_rows_that_cost_the_most_sales_are_the_first_of_their_severity() -> None:
    rows = [
        {"post_type": "product", "total_sales": 3},
        {"sku": "x", "post_type": "product", "total_sales": 13},
        {**WEB, "post_title": "Once more"},  # its sales are those of the row that it repeats
    ]
    warnings = with_rows(erp=({**ERP, "product_id": 9},), web=tuple(rows)).issues.filter(severity="warning")
    assert warnings.select("rule", "value").rows() == [
        ("unlinked-sales", "13 units"),
        ("no-key", "3 units"),
        ("on-sale-unlinked", "1"),
        ("differing-repetition", "1"),
    ]


def test_a_post_that_is_no_product_is_counted_by_its_type_and_a_product_is_not() -> None:
    picture, keyless = {"sku": 10_001, "post_type": "Attachment"}, {"post_type": "product", "total_sales": 3}
    counts = count_rows(with_rows(web=(picture, keyless)).ledger).filter(source="web")
    assert counts.select("disposition", "rule", "detail", "rows", "units").collect().rows() == [
        ("used", None, None, 2, None),
        ("ignored", "other-post-type", "attachment", 1, None),
        ("rejected", "no-key", None, 1, 3),
    ]


def test_keys_meet_whatever_their_case_and_form() -> None:
    result = month(
        [{"product_id": "AB-1", "price": 10}, {"product_id": 2, "price": 10}],
        [{"product_id": "ab-1 ", "id_web": "Bon-Cadeau"}, {"product_id": "2.0", "id_web": "15298.0"}],
        [
            {"sku": "\u00a0bon-cadeau", "post_type": "product", "total_sales": 1},
            {"sku": 15298, "post_type": "Product", "total_sales": 1},
        ],
    )
    assert result.wines().select("product_id", "sku").rows() == [("2", "15298"), ("AB-1", "bon-cadeau")]


@pytest.mark.parametrize("position", [0, 1], ids=["first", "last"])
def test_of_rows_that_repeat_each_other_content_decides_and_not_position(position: int) -> None:
    rows = [{**WEB, "post_title": "A title"}, {**WEB, "post_title": "B title"}]
    if position:
        rows.reverse()
    result = month([ERP], [LIAISON], rows)
    assert result.wines()["post_title"].to_list() == ["A title"]
    assert {row[1:] for row in result.dispositions("web")} == {("rejected", "differing-repetition"), ("used", None)}
    assert len(result.warnings()) == 1
    assert result.errors() == []


def test_of_repeated_rows_one_with_a_title_is_kept() -> None:
    result = month([ERP], [LIAISON], [{**WEB, "post_title": None}, WEB])
    assert result.dispositions("web") == [(2, "rejected", "differing-repetition"), (3, "used", None)]


def test_an_exact_repetition_is_rejected_without_a_warning() -> None:
    result = with_rows(erp=(ERP,), liaison=(LIAISON,), web=(WEB,))
    for source in ("erp", "liaison", "web"):
        assert result.dispositions(source) == [*USED, (4, "rejected", "repetition")]
    assert result.warnings() == []
    assert result.wines().height == 2


def test_two_prices_of_one_product_stop_the_run_with_both_addresses() -> None:
    remedy = "Keep the right row and remove the others, then run again."
    assert with_rows(erp=({**ERP, "price": 11},)).errors() == [
        f'erp.xlsx [Sheet1] C2, price of product 1: "10" contradicts C4, "11". {remedy}',
        f'erp.xlsx [Sheet1] C4, price of product 1: "11" contradicts C2, "10". {remedy}',
    ]
    assert with_rows(erp=({**ERP, "price": "10,00 €"},)).errors() == [], "two prices that read the same"


def test_two_prices_of_a_product_that_is_not_sold_are_only_reported() -> None:
    rows = ({"product_id": 3, "price": 5, "onsale_web": 0}, {"product_id": 3, "price": 6, "onsale_web": 0})
    result = with_rows(erp=rows)
    assert result.errors() == []
    assert len(result.warnings()) == 2


def test_two_counts_of_one_sku_stop_the_run() -> None:
    assert with_rows(web=({**WEB, "total_sales": 2},)).errors() == [
        f'web.xlsx [Sheet1] D{row}, total_sales of sku 10001: "{units}" contradicts D{other}, "{other_units}". '
        "Keep the right row and remove the others, then run again."
        for row, units, other, other_units in ((2, 1, 4, 2), (4, 2, 2, 1))
    ]


def test_each_of_many_contradicting_rows_names_the_first_that_it_contradicts() -> None:
    """By content: 9 is less than 10, an empty cell comes last, and rows that agree do not contradict each other."""
    result = with_rows(erp=({**ERP, "price": 10}, {**ERP, "price": 9}, {**ERP, "price": None}))
    assert [text.partition(". ")[0] for text in result.errors() if "contradicts" in text] == [
        'erp.xlsx [Sheet1] C2, price of product 1: "10" contradicts C5, "9"',
        'erp.xlsx [Sheet1] C4, price of product 1: "10" contradicts C5, "9"',
        'erp.xlsx [Sheet1] C5, price of product 1: "9" contradicts C2, "10"',
        'erp.xlsx [Sheet1] C6, price of product 1 contradicts C5, "9"',
    ]


def test_two_products_on_one_sku_stop_the_run() -> None:
    result = month([ERP, OTHER[0]], [LIAISON, {"product_id": 2, "id_web": 10_001}], [WEB])
    assert result.errors() == [
        f'liaison.xlsx [Sheet1] B{row}, id_web of product {product_id}: "10001" is also linked from {other}. '
        "Keep the link of one product, then run again."
        for row, product_id, other in ((2, 1, 'A3, "2"'), (3, 2, 'A2, "1"'))
    ]


def test_two_live_links_of_one_product_stop_the_run() -> None:
    result = month([ERP], [LIAISON, {"product_id": 1, "id_web": 10_002}], [WEB, OTHER[2]])
    assert result.errors() == [
        f'liaison.xlsx [Sheet1] B{row}, id_web of product 1: "{sku}" is not the only live link of the product: '
        f"there is {other}. Keep one link for the product, then run again."
        for row, sku, other in ((2, 10_001, 'B3, "10002"'), (3, 10_002, 'B2, "10001"'))
    ]


NO_TYPE = "B4, post_type is empty although the row has a sku or sales. Fill in the type, then run again."
NO_KEY = 'A4, sku: "1 2" is not a key. Type the key as a number or plain text, then run again.'
VARIATION = {"sku": "v", "post_type": "product_variation"}
HAS_SALES = (
    'B4, post_type: "product_variation" is another type of post and has sales. '
    "Move the sales to the product itself, then run again."
)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        pytest.param({"sku": 5, "post_title": "Fronsac"}, NO_TYPE, id="named product without a type"),
        pytest.param({"total_sales": 4}, NO_TYPE, id="sales without a type"),
        pytest.param({"sku": "all wines", "total_sales": 2}, NO_TYPE, id="a note with sales"),
        pytest.param(VARIATION | {"total_sales": 4}, HAS_SALES, id="variation with sales"),
        pytest.param(VARIATION | {"total_sales": "many"}, HAS_SALES, id="variation with sales that nobody can read"),
        pytest.param(VARIATION | {"total_sales": -1}, HAS_SALES, id="variation with a counter below 0"),
        pytest.param({"sku": "1 2", "post_type": "product", "total_sales": 4}, NO_KEY, id="unreadable sku with sales"),
    ],
)
def test_sales_that_would_be_lost_stop_the_run(row: dict, sentence: str) -> None:
    assert with_rows(web=(row,)).errors() == [f"web.xlsx [Sheet1] {sentence}"]


NOTES = [
    pytest.param("exported on 31/05/2025", id="words"),
    pytest.param(("date", "2025-05-31 00:00:00"), id="date"),
    pytest.param(("error", "#REF!"), id="error"),
]


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(("source", "column"), [("erp", "product_id"), ("liaison", "product_id"), ("web", "sku")])
def test_a_note_below_the_table_is_only_reported(source: str, column: str, note: object) -> None:
    result = with_rows(**{source: ({column: note},)})
    assert result.errors() == []
    assert result.dispositions(source) == [*USED, (4, "rejected", "unreadable-key")]
    (warning,) = result.warnings()
    text = note[1] if isinstance(note, tuple) else note
    assert warning == (
        f'{source}.xlsx [Sheet1] A4, {column}: "{text}" is not a key. '
        "Type the key as a number or plain text, then run again."
    )


def test_a_word_below_the_web_table_is_only_reported() -> None:
    """It could be a sku, but a row without type, name and sales is no product that could be missed."""
    result = with_rows(web=({"sku": "Total"},))
    assert result.errors() == []
    assert result.dispositions("web") == [*USED, (4, "rejected", "blank-post-type")]


# --- what the shop does not show


@pytest.mark.parametrize("status", ["trash", "Draft", " pending ", "private", "future"])
def test_an_unpublished_twin_of_a_published_product_is_ignored_with_its_status(status: str) -> None:
    result = with_rows(web=({**WEB, "total_sales": 99, "post_status": status},))
    assert result.errors() == []
    assert result.warnings() == []
    assert result.dispositions("web") == [*USED, (4, "ignored", "unpublished-twin")]
    counts = count_rows(result.ledger).filter(source="web", disposition="ignored")
    assert counts.select("rule", "detail", "rows", "units").collect().rows() == [
        ("unpublished-twin", status.strip().lower(), 1, None)
    ]
    assert result.wines()["total_sales"].to_list() == [1, 1]


@pytest.mark.parametrize("status", [None, "publish", "Publish ", ("error", "#N/A")])
def test_two_published_rows_of_a_sku_contradict_each_other(status: object) -> None:
    assert len(with_rows(web=({**WEB, "total_sales": 99, "post_status": status},)).errors()) == 2


def test_two_unpublished_rows_of_a_sku_contradict_each_other() -> None:
    rows = ({**WEB, "post_status": "trash"}, {**WEB, "total_sales": 9, "post_status": "draft"})
    assert len(month([ERP], [LIAISON], list(rows)).errors()) == 2


def test_an_unpublished_product_without_a_published_twin_counts_and_is_reported() -> None:
    """Its counter is what it sold before it was withdrawn."""
    result = month([ERP], [LIAISON], [{**WEB, "total_sales": 7, "post_status": "trash"}])
    assert result.errors() == []
    (warning,) = result.warnings()
    assert warning == (
        'web.xlsx [Sheet1] E2, post_status: "trash" is the status of a product that has sales. '
        "Nothing to do if it was sold before it was withdrawn; else publish it again."
    )
    assert result.wines()["total_sales"].to_list() == [7]


def test_a_date_that_is_none_is_reported_and_its_product_counts() -> None:
    rows = [{**WEB, "post_date": "07/06/2018"}, {**OTHER[2], "post_date": ("date", "2018-06-07 16:27:25")}]
    result = month([ERP, OTHER[0]], [LIAISON, OTHER[1]], rows)
    assert result.errors() == []
    assert result.warnings() == [
        'web.xlsx [Sheet1] F2, post_date: "07/06/2018" is not a date. Correct the date in the shop.'
    ]
    assert result.wines().sort("sku")["post_date"].to_list() == [None, date(2018, 6, 7)]


def test_the_date_of_a_picture_is_not_judged() -> None:
    assert with_rows(web=({"sku": 10_001, "post_type": "attachment", "post_date": "?"},)).warnings() == []


def test_a_product_once_per_language_counts_once() -> None:
    """A multilingual plug-in exports the product with the same sku and counter, under another title."""
    result = with_rows(web=({**WEB, "post_title": "Vin"}, {**WEB, "post_title": "Wein"}))
    assert result.errors() == []
    assert result.wines()["total_sales"].to_list() == [1, 1]
    assert result.ledger.filter(source="web").select("units").sum().collect().item() == 0


def test_an_unreadable_key_with_a_price_stops_the_run() -> None:
    assert with_rows(erp=({"product_id": ("error", "#N/A"), "price": 12},)).errors() == [
        'erp.xlsx [Sheet1] A4, product_id: "#N/A" is not a key. Type the key as a number or plain text, then run again.'
    ]


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        pytest.param(None, "C2, price is empty. Fill the cell, then run again.", id="empty"),
        pytest.param(("error", "#N/A"), f'C2, price: "#N/A" is an error of the spreadsheet. {STATUS}', id="error"),
        pytest.param("n/a", f'C2, price: "n/a" is not a number. {STATUS}', id="words"),
        pytest.param(-8, f'C2, price: "-8" is not above 0. {STATUS}', id="negative"),
        pytest.param(0, f'C2, price: "0" is not above 0. {STATUS}', id="zero"),
    ],
)
def test_a_sold_product_without_a_price_stops_the_run(price: object, sentence: str) -> None:
    erp, liaison, web = product(1, price=price)
    assert month([erp], [liaison], [web]).errors() == [f"erp.xlsx [Sheet1] {sentence}"]


def test_a_negative_price_of_a_product_that_is_not_sold_is_only_reported() -> None:
    result = with_rows(erp=({"product_id": 3, "price": -8, "onsale_web": 0},))
    assert result.errors() == []
    assert result.warnings() == [f'erp.xlsx [Sheet1] C4, price: "-8" is not above 0. {STATUS}']


@pytest.mark.parametrize(
    ("sales", "what"),
    [
        pytest.param(None, "is empty", id="empty"),
        pytest.param(-1, "is below 0", id="negative"),
        pytest.param(2.5, "is not a whole number", id="fraction"),
        pytest.param("many", "is not a number", id="words"),
    ],
)
def test_a_sold_product_without_units_stops_the_run(sales: object, what: str) -> None:
    erp, liaison, web = product(1, sales=sales)
    (error,) = month([erp], [liaison], [web]).errors()
    assert error.startswith("web.xlsx [Sheet1] D2, total_sales")
    assert what in error


def test_all_errors_of_all_workbooks_are_reported_at_once() -> None:
    first, second = product(1, price="?"), product(2, sales=-1)
    result = month([first[0], second[0]], [first[1], second[1]], [first[2], second[2]])
    assert [text.split(",")[0] for text in result.errors()] == ["erp.xlsx [Sheet1] C2", "web.xlsx [Sheet1] D3"]


@pytest.mark.parametrize(
    ("stock", "kept"),
    [
        pytest.param(-1, -1, id="below 0: more was sold than was there"),
        pytest.param(-1.5, None, id="a part of a bottle"),
        pytest.param("none", None, id="words"),
        pytest.param(10**13, None, id="too large"),
    ],
)
def test_a_stock_below_0_is_kept_and_no_other_fault_is(stock: object, kept: int | None) -> None:
    wines = month([{**ERP, "stock_quantity": stock, "stock_status": "outofstock"}], [LIAISON], [WEB]).wines()
    assert wines["stock_quantity"].to_list() == [kept]


@pytest.mark.parametrize(
    ("stock", "address"),
    [
        pytest.param({"stock_quantity": -1, "stock_status": "outofstock"}, "D2", id="negative stock"),
        pytest.param({"stock_quantity": 0, "stock_status": "instock"}, "E2", id="in stock with none"),
        pytest.param({"stock_quantity": 3, "stock_status": "outofstock"}, "E2", id="out of stock with some"),
        pytest.param({"stock_quantity": 1, "stock_status": "outofstock"}, "E2", id="out of stock with one"),
        pytest.param({"stock_status": "discontinued"}, "E2", id="another status with some"),
        pytest.param({"onsale_web": "yes"}, "B2", id="flag in words"),
        pytest.param({"onsale_web": 2}, "B2", id="flag that is none"),
    ],
)
def test_a_fault_of_the_stock_never_drops_a_sold_product(stock: dict, address: str) -> None:
    result = month([{**ERP, **stock}], [LIAISON], [WEB])
    assert result.errors() == []
    assert [text.split(",")[0] for text in result.warnings()] == [f"erp.xlsx [Sheet1] {address}"]
    assert result.wines().height == 1


# --- keys that Excel rounded


@pytest.mark.parametrize("key", ["3.76009E+12", "3,76009E+12", "3.76009e+12", "4E+12"])
def test_a_number_in_scientific_notation_is_never_a_key(key: str) -> None:
    may = month(
        [{"product_id": 1, "price": 10}, {"product_id": key, "price": 11}],
        [{"product_id": 1, "id_web": key}, {"product_id": key, "id_web": 5}],
        [{"sku": key, "post_type": "product", "total_sales": 3}, {"sku": key, "post_type": "attachment"}],
    )
    assert may.issues.filter(rule="rounded-key").select("file", "cell", "severity").rows() == [
        ("erp.xlsx", "A3", "error"),
        ("liaison.xlsx", "B2", "error"),
        ("liaison.xlsx", "A3", "error"),
        ("web.xlsx", "A2", "error"),
    ]


@pytest.mark.parametrize(
    ("key", "rows", "is_rounded"),
    [
        pytest.param(3_760_090_000_000, 3, True, id="three rows share 3760090000000"),
        pytest.param(3_760_090_000_000, 2, False, id="two rows may repeat each other"),
        pytest.param(376_009_000_000, 3, True, id="twelve digits, the shortest that Excel rounds"),
        pytest.param(37_600_900_000, 3, False, id="eleven digits"),
        pytest.param(3_760_091_000_000, 3, False, id="seven digits before the zeros"),
        pytest.param("1E5", 3, False, id="a sku with an E"),
        pytest.param("007", 3, False, id="a short key"),
    ],
)
def test_a_long_number_that_ends_in_zeros_is_rounded_when_many_rows_share_it(
    key: int | str, rows: int, *, is_rounded: bool
) -> None:
    may = month(
        [{"product_id": 1, "price": 10}],
        [{"product_id": 1, "id_web": 5}],
        [{"sku": key, "post_type": "product", "total_sales": number} for number in range(rows)],
    )
    assert may.issues.filter(rule="rounded-key")["cell"].to_list() == (
        [f"A{row}" for row in range(2, rows + 2)] if is_rounded else []
    )


def test_the_message_about_a_rounded_key_says_how_to_export() -> None:
    may = month([{"product_id": "3.76009E+12", "price": 10}], [{"product_id": 1, "id_web": 5}], [])
    (line,) = lines(may.issues.filter(rule="rounded-key"))
    assert line == (
        'erp.xlsx [Sheet1] A2, product_id: "3.76009E+12" is a long number that Excel rounded, not a key. '
        "Export the workbook again with this column as text, then run again."
    )


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        pytest.param("stock_quantity", "many", ["stock-not-a-count"], id="stock that is no number"),
        pytest.param("stock_quantity", 2.5, ["stock-not-a-count"], id="half a bottle"),
        pytest.param("stock_quantity", -1, ["stock-not-a-count", "stock-status-mismatch"], id="stock below 0"),
        pytest.param("stock_quantity", 0, ["stock-status-mismatch"], id="no bottle of a wine in stock"),
        pytest.param("stock_quantity", 1, [], id="a bottle"),
        pytest.param("stock_quantity", None, [], id="no count"),
        pytest.param("stock_status", "outofstock", ["stock-status-mismatch"], id="bottles of a wine out of stock"),
        pytest.param("stock_status", None, [], id="no status"),
        pytest.param("onsale_web", 2, ["unknown-flag"], id="a flag of 2"),
        pytest.param("onsale_web", -1, ["unknown-flag"], id="a flag below 0"),
        pytest.param("onsale_web", "yes", ["unknown-flag"], id="a flag in words"),
        pytest.param("onsale_web", None, [], id="no flag"),
    ],
)
def test_a_fault_of_the_stock_or_of_the_flag_is_a_warning(column: str, value: object, found: list[str]) -> None:
    issues = month([ERP | {column: value}], [LIAISON], [WEB]).issues
    assert issues.select("rule", "severity").rows() == [(rule, "warning") for rule in found]
