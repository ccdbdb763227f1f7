"""Every word of the report that is not a column heading; those are in the schemas, reasons in the catalogue of issues.

Nothing else under `tasks/report` holds text that people read, so that another language is one more module like this.
"""

from decimal import Decimal

from tasks.domain.figures import Figures
from tasks.domain.issues import RULES
from tasks.domain.schemas import Source

# Sheets
SUMMARY = "Summary"
REVENUE = "Revenue by product"
PREMIUM = "Premium wines"
QUALITY = "Quality"
CHART_DATA = "Chart data"

AUTHOR = "BottleNeck"
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SOURCE_NAMES: dict[Source, str] = {"erp": "ERP", "liaison": "Link table", "web": "Web shop"}
DISPOSITION_NAMES = {"used": "used", "ignored": "ignored", "rejected": "rejected"}

# Headings of columns that only the workbook has
RANK = "Rank"
SHARE = "Share of revenue"
CUMULATIVE_SHARE = "Cumulative share"
PREMIUM_MARK = "Premium"
WORKBOOK = "Workbook"
ROW_IS = "Row is"
REASON = "Reason"
ROWS = "Rows"
UNITS = "Units sold"
PROBLEM = "What is wrong"

# Summary
REVENUE_LABEL = "Total revenue"
UNITS_LABEL = "Units sold"
PRODUCTS_LABEL = "Products"
PREMIUM_LABEL = "Premium wines"
THRESHOLD_LABEL = "Premium above"
PREMIUM_SHARE_LABEL = "Premium share of revenue"
MISSING = "What is missing"
NOTHING_MISSING = "Nothing: no row was rejected."

# Charts
TOP_PRODUCTS = "The ten products with the most revenue"
PRICE_BANDS = "All products by price"
PREMIUM_BANDS = "Premium wines by price, on their own scale"
PREMIUM_REVENUE = "Premium wines with the most revenue"
ORDINARY = "Ordinary"
THRESHOLD_MARK = " "

TOTAL_SHOWN = "Total of the rows shown"

ISSUES = "Rows and cells to look at"
NO_ISSUES = "There is none."


def month_name(month: str) -> str:
    """`2025-05` as May 2025."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def amount(value: Decimal) -> str:
    """An amount in EUR, to the cent."""
    return f"{value:,.2f} €"


def count(number: int) -> str:
    """A whole number with thousands apart."""
    return f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """A number and its noun."""
    return f"{count(number)} {one if number == 1 else many}"


def title(month: str) -> str:
    """Title of the workbook and of the Summary."""
    return f"Wine sales, {month_name(month)}"


def page_footer(month: str) -> str:
    """Footer of every page, in Excel's own notation."""
    return f"&L&8{title(month)}&C&8&A&R&8Page &P of &N"


def snapshot_note(month: str) -> str:
    """What the month does and does not mean."""
    return (
        "Units sold is total_sales, the shop's running counter at the time of its export: "
        f"{month_name(month)} is the label of that snapshot, not a period measured by it."
    )


def rule_note(threshold: float) -> str:
    """How revenue and premium are defined."""
    return (
        "Revenue is the ERP's price times units sold. A wine is premium when the z-score of its price is above "
        f"{threshold:g}: more than {threshold:g} standard deviations over the mean of all products."
    )


def revenue_note(figures: Figures) -> str:
    """What a unit brings on average."""
    if figures.units == 0:
        return "no unit sold"
    return f"{amount(figures.revenue / figures.units)} per unit"


def unsold_note(products: int) -> str:
    """Products in the range that were never sold."""
    return f"{counted(products, 'product', 'products')} without a sale"


def concentration_note(products: int) -> str:
    """How few products carry the revenue."""
    return f"{counted(products, 'makes', 'make')} 80 % of the revenue"


def ordinary_note(figures: Figures) -> str:
    """The other class."""
    return f"{count(figures.ordinary)} ordinary"


def cheapest_note(figures: Figures) -> str:
    """Where the premium prices begin in fact."""
    if figures.cheapest_premium is None:
        return "no price is above it"
    return f"cheapest is {amount(figures.cheapest_premium)}"


def premium_revenue_note(figures: Figures) -> str:
    """The amount behind the share."""
    return amount(figures.premium_revenue)


def threshold_label(price: Decimal) -> str:
    """Names the line in the price chart."""
    return f"Premium above {amount(price)}"


def band_axis(width: Decimal, threshold: Decimal) -> str:
    """Title of a price axis."""
    step = f"{width:,.0f} €" if width >= 1 else amount(width)
    return f"Price in steps of {step}, counted from {amount(threshold)}"


def band(lower: Decimal, upper: Decimal | None, *, whole: bool) -> str:
    """A price band; without an upper end, all prices from the lower one."""
    places = 0 if whole else 2
    if upper is None:
        return f"{lower:,.{places}f} +"
    return f"{lower:,.{places}f}\N{EN DASH}{upper:,.{places}f}"


def untitled(product_id: str) -> str:
    """Stands in a chart for a title that is not there."""
    return f"Product {product_id}"


def missing_summary(rejected: int, units: int) -> str:
    """All that is missing, in one line."""
    line = f"{counted(rejected, 'row was', 'rows were')} rejected"
    return f"{line}; {counted(units, 'sold unit is', 'sold units are')} not in the figures." if units else f"{line}."


def other_reasons(number: int) -> str:
    """What the Summary has no room for."""
    return f"{counted(number, 'other reason', 'other reasons')}: see the sheet {QUALITY}"


def revenue_title(month: str) -> str:
    """Title of the revenue sheet."""
    return f"Revenue by product, {month_name(month)}"


def premium_title(month: str) -> str:
    """Title of the premium sheet."""
    return f"Premium wines, {month_name(month)}"


def quality_title(month: str) -> str:
    """Title of the quality sheet."""
    return f"Data quality, {month_name(month)}"


def premium_sentence(figures: Figures, threshold: float) -> str:
    """What the premium sheet shows, or why it is empty."""
    price = amount(figures.threshold_price)
    if figures.premium == 0:
        return f"No wine is premium this month: no price is above {price} (z-score above {threshold:g})."
    return f"{counted(figures.premium, 'wine costs', 'wines cost')} more than {price} (z-score above {threshold:g})."


def quality_sentence() -> str:
    """How to read the counts."""
    return "Every row of the three workbooks is used, ignored or rejected; here is how many and why."


def rows_read(rows: int) -> str:
    """Heads the counts of one workbook."""
    return f"{counted(rows, 'row', 'rows')} read"


def issues_cut(shown: int, total: int) -> str:
    """Says that a sheet is not long enough."""
    return f"The first {count(shown)} of {count(total)}: a sheet holds no more. The CSV file of the issues is complete."


def too_many_products(products: int, limit: int) -> str:
    """Says that the month does not fit."""
    return f"{count(products)} products do not fit a sheet, which holds {count(limit)} of them."


_SUBJECTS = {
    "blank-row": "This",
    "other-post-type": "The post",
    "no-key": "The key",
    "unreadable-key": "The key",
    "contradicting-rows": "The row",
    "differing-repetition": "The row",
    "repetition": "The row",
    "no-web-id": "The id_web",
    "unknown-product": "The product_id",
    "unknown-web-id": "The id_web",
    "on-sale-unlinked": "The product",
    "not-sold-online": "The product",
    "no-partner": "The product",
    "unlinked-sales": "The web product",
    "shared-sku": "The sku",
    "several-skus": "The id_web",
}
"""What a reason is about, where no cell stands before its sentence."""


def reason(rule: str | None, detail: str | None) -> str:
    """Why rows became what they are, as a sentence."""
    if rule is None:
        return "Nothing against it"
    sentence = f"{_SUBJECTS.get(rule, 'The cell')} {RULES[rule].sentence}"
    return sentence if detail is None else f"{sentence} ({detail})"


def problem(rule: str) -> str:
    """Completes an address and a value; the code itself where the catalogue does not know it."""
    return RULES[rule].sentence if rule in RULES else rule


# The audit


def unreadable(file: str, fault: object) -> str:
    """A file that cannot be read back."""
    return f"{file} cannot be read back: {fault}"


def place(file: str, sheet: str) -> str:
    """A sheet of a workbook."""
    return f"{file} [{sheet}]"


def no_header(where: str) -> str:
    """A table that is not there."""
    return f"{where} has no row with the expected headings."


def wrong_length(where: str, found: int, expected: int) -> str:
    """Too many or too few rows."""
    return f"{where} holds {counted(found, 'row', 'rows')} where the results have {count(expected)}."


def wrong_values(where: str, column: str, number: int, row: int, found: object, expected: object) -> str:
    """Cells that differ, with the first of them."""
    return (
        f"{where}, {column}: {counted(number, 'row differs', 'rows differ')} from the results; "
        f"the first is row {count(row)} of the table, with {found!s} instead of {expected!s}."
    )


def wrong_figure(where: str, label: str, found: object, expected: object) -> str:
    """A headline that contradicts the figures."""
    return f"{where}, {label}: {found!s} instead of {expected!s}."


def wrong_spelling(column: str, text: object) -> str:
    """A number that the writer would not have spelled so."""
    return f'{column}: "{text!s}" is not spelled as it was written.'


def wrong_columns(found: list[str], expected: list[str]) -> str:
    """A header that is not the writer's."""
    return f"the header is {', '.join(found)} instead of {', '.join(expected)}."
