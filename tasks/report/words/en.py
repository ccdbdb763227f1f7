"""The report in English."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from tasks.domain.figures import Comparison, Figures, StockFigures
from tasks.domain.parameters import Parameters
from tasks.domain.rules import RULES
from tasks.domain.schemas import ComparedWine, DataIssue, Source, headings
from tasks.domain.stock import LOW_STOCK
from tasks.report.words.style import NumberStyle


class English(NumberStyle):
    """What the report says, in English."""

    # Sheets
    SUMMARY = "Summary"
    REVENUE = "Revenue by product"
    PREMIUM = "Premium wines"
    STOCK = "Stock"
    CHANGES = "Changes"
    QUALITY = "Quality"
    ISSUES = "Rows to look at"
    ABOUT = "About"
    CHART_DATA = "Chart data"

    AUTHOR = "BottleNeck"
    MONTHS: ClassVar = (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )  # fmt: skip
    SOURCES: ClassVar[Mapping[Source, str]] = {"erp": "ERP", "liaison": "Link table", "web": "Web shop"}
    DISPOSITIONS: ClassVar = {"used": "used", "ignored": "ignored", "rejected": "rejected"}
    SEVERITIES: ClassVar = {"error": "error", "warning": "warning", "info": "info"}
    STOCK_STATES: ClassVar = {
        "sold_out": "sold out", "nearly_out": "nearly out", "idle": "not moving", "unknown": "no count",
    }  # fmt: skip
    CHANGE_KINDS: ClassVar = {
        "fallen": "counter fell", "new": "new", "gone": "gone", "newly_premium": "newly premium",
        "no_longer_premium": "no longer premium", "repriced": "new price",
    }  # fmt: skip

    HEADINGS: ClassVar[Mapping[str, str]] = {
        **headings(DataIssue),
        **headings(ComparedWine),
        "rank_change": "Places gained",
        "share": "Share of revenue",
        "cumulative_share": "Cumulative share",
        "state": "State",
        "stock_value": "In stock (€)",
        "months_left": "Months left",
        "change": "Change",
        "source": "Workbook",
        "reason": "Reason",
        "rows": "Rows",
        "rejected_units": "Units sold",
        "class_mark": "Premium",
        "problem": "What is wrong",
    }
    """Headings of columns; those that the schemas name are theirs."""

    PREMIUM_MARK = "Premium"
    ORDINARY = "Ordinary"
    NEW_MARK = "new"
    TOTAL_SHOWN = "Total of the rows shown"

    # Summary
    REVENUE_LABEL = "Total revenue"
    UNITS_LABEL = "Units sold"
    PRODUCTS_LABEL = "Products"
    CARRYING_LABEL = "Products that make 80 %"
    PREMIUM_LABEL = "Premium wines"
    PREMIUM_SHARE_LABEL = "Premium share of revenue"
    FIRST_MONTH = "This is the first month published here: there is nothing to compare it with yet."
    BY_CLASS = "Revenue by class"
    PRODUCTS_HEADING = "Products"
    UNITS_HEADING = "Units"
    REVENUE_HEADING = "Revenue"
    ALL_PRODUCTS = "All products"
    SOLD_SINCE = "Sold since, at today's prices"
    PRICE_EFFECT = "New prices"
    NEW_PRODUCTS = "New products"
    GONE_PRODUCTS = "Products gone"
    FALLEN_COUNTERS = "Counters that fell"
    STOCK_SECTION = "Stock"
    LEFT_HEADING = "Left"
    SELLERS_LEFT = "Out of stock or nearly, by revenue so far"
    NO_SELLER_OUT = "No seller is out of stock or nearly."
    MISSING = "What is missing from these figures"
    NOTHING_MISSING = "Nothing: no row was rejected."

    # Charts
    TOP_PRODUCTS = "The ten products with the most revenue"
    TOP_PREMIUM = "Premium wines with the most revenue"
    PRICE_BANDS = "All products by price"
    PREMIUM_BANDS = "Premium wines by price, on their own scale"

    # Other sheets
    REVENUE_NOTE = "By revenue, highest first. The totals follow the filters."
    STOCK_NOTE = (
        "Sold-out sellers by revenue, sellers nearly out, then bottles that nobody ever bought, by their value."
    )
    NO_ISSUES = "There is no row and no cell to look at."
    QUALITY_NOTE = "Every row of the three workbooks is used, ignored or rejected; here is how many and why."
    RULES_SECTION = "What the figures mean"
    INPUTS_SECTION = "Made from these workbooks"
    PARAMETERS_SECTION = "With these settings"
    BASELINE_SECTION = "Compared with"
    BASELINE_MONTH = "Month"
    BASELINE_IDENTITY = "Identity of its result"
    PARAMETERS: ClassVar = {
        "month": "Month",
        "premium_threshold": "Premium threshold (z-score)",
        "language": "Language",
        "csv_dialect": "CSV files",
    }
    LANGUAGE_NAME = "English"
    CSV_DIALECTS: ClassVar = {"standard": "comma, decimal point", "french": "semicolon, decimal comma (French Excel)"}

    SUBJECTS: ClassVar[Mapping[str, str]] = {
        "blank-row": "This",
        "other-post-type": "The post",
        "unpublished-twin": "The product",
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

    SENTENCES: ClassVar[Mapping[str, str]] = {code: rule.sentence for code, rule in RULES.items()}
    REMEDIES: ClassVar[Mapping[str, str]] = {rule.remedy: rule.remedy for rule in RULES.values()}
    """What to do, by what the catalogue says; a remedy that an issue has of its own stays as it is."""

    # Titles

    def month_name(self, month: str) -> str:
        """`2025-05` as May 2025."""
        year, number = month.split("-")
        return f"{self.MONTHS[int(number) - 1]} {year}"

    def title(self, month: str) -> str:
        """Title of the workbook and of the Summary."""
        return f"Wine sales, {self.month_name(month)}"

    def sheet_title(self, sheet: str, month: str) -> str:
        """Title of another sheet."""
        return f"{sheet}, {self.month_name(month)}"

    def page_footer(self, month: str) -> str:
        """Footer of every page, in Excel's own notation."""
        return f"&L&8{self.title(month)}&C&8&A&R&8Page &P of &N"

    # Summary

    def compared_with(self, comparison: Comparison) -> str:
        """Which month the changes are counted from."""
        name = self.month_name(comparison.month)
        if comparison.months_apart == 1:
            return f"Compared with {name}, the month before"
        return f"Compared with {name}, {comparison.months_apart} months before"

    def since(self, comparison: Comparison) -> str:
        """The news of the month in a sentence."""
        units = self.counted(comparison.units_sold, "unit was", "units were")
        value = self.amount(comparison.sold_value)
        return f"{self.compared_with(comparison)}: {units} sold since, worth {value} at today's prices."

    def snapshot_note(self, month: str) -> str:
        """What the month does and does not mean."""
        return (
            "Units sold is total_sales, the shop's running counter at the time of its export: "
            f"{self.month_name(month)} is the label of that snapshot, not a period measured by it."
        )

    def no_change(self) -> str:
        """Beside a figure that is what it was."""
        return "no change"

    def points(self, now: Decimal, before: Decimal) -> str:
        """Change of a share."""
        return f"{self.signed(self.number(100 * (now - before), 1))} points"

    def products_change(self, change: str, comparison: Comparison) -> str:
        """Products that came and went."""
        new, gone = self.number(comparison.new_products), self.number(comparison.gone_products)
        return f"{change}: {new} new, {gone} gone"

    def premium_change(self, change: str, comparison: Comparison) -> str:
        """Products of both months that changed their class."""
        newly, no_longer = self.number(comparison.newly_premium), self.number(comparison.no_longer_premium)
        return f"{change}: {newly} newly, {no_longer} no longer"

    def revenue_note(self, figures: Figures) -> str:
        """What a unit brings on average."""
        return f"{self.amount(figures.revenue / figures.units)} per unit" if figures.units else "no unit sold"

    def unsold_note(self, products: int) -> str:
        """Products in the range that were never sold."""
        return f"{self.counted(products, 'product', 'products')} without a sale"

    def classes_note(self, figures: Figures) -> str:
        """The two classes."""
        return f"{self.number(figures.premium)} premium, {self.number(figures.ordinary)} ordinary"

    def carrying_note(self, share: Decimal) -> str:
        """How few products carry the revenue."""
        return f"{self.percent(share)} of all products"

    def threshold_note(self, figures: Figures) -> str:
        """From which price a wine is premium."""
        return f"priced above {self.amount(figures.threshold_price)}"

    def bridge_title(self, before: str, month: str) -> str:
        """Heads the reckoning from one month to the other."""
        return f"From {self.month_name(before)} to {self.month_name(month)}"

    def fallen_warning(self, comparison: Comparison) -> str:
        """A counter that fell, in plain words."""
        products = self.counted(comparison.fallen_products, "counter", "counters")
        return f"Check the shop: {products} of sales fell, which cannot be. See the sheet {self.CHANGES}."

    def price_effect_note(self) -> str:
        """Why new prices stand apart."""
        return "New prices revalue what was sold before; no bottle was sold by them."

    def sold_out_note(self, stock: StockFigures) -> str:
        """What was lost with the last bottle."""
        return f"sellers without a bottle; they brought {self.amount(stock.sold_out_revenue)} so far"

    def nearly_out_note(self) -> str:
        """What nearly means."""
        return f"sellers with fewer than {LOW_STOCK} bottles left"

    def idle_note(self, stock: StockFigures) -> str:
        """Money that stands still."""
        bottles = self.counted(stock.idle_units, "bottle", "bottles")
        return f"never sold: {bottles}, {self.amount(stock.idle_value)} at selling price"

    def unknown_note(self) -> str:
        """Products that the stock figures leave out."""
        return "products whose stock the ERP does not count"

    def untitled(self, product_id: str) -> str:
        """Stands for a title that is not there."""
        return f"Product {product_id}"

    def missing_summary(self, rejected: int, units: int) -> str:
        """All that is missing, in one line."""
        line = f"{self.counted(rejected, 'row was', 'rows were')} rejected"
        if not units:
            return f"{line}; no sold unit is missing."
        return f"{line}; {self.counted(units, 'sold unit has', 'sold units have')} no product here and no price."

    def other_reasons(self, number: int) -> str:
        """What the Summary has no room for."""
        return f"{self.counted(number, 'other reason', 'other reasons')}: see the sheet {self.QUALITY}"

    # Charts

    def threshold_label(self, price: Decimal) -> str:
        """Names the line in the price chart."""
        return f"Premium above {self.amount(price)}"

    def band_axis(self, width: Decimal, threshold: Decimal) -> str:
        """Title of a price axis."""
        step = self.amount(width, 0 if width >= 1 else 2)
        return f"Price in steps of {step}, counted from {self.amount(threshold)}"

    def band(self, lower: Decimal, upper: Decimal | None, *, whole: bool) -> str:
        """A price band; without an upper end, all prices from the lower one."""
        places = 0 if whole else 2
        if upper is None:
            return f"{self.number(lower, places)} +"
        return f"{self.number(lower, places)}\N{EN DASH}{self.number(upper, places)}"

    def bars_described(self, title: str, wines: int) -> str:
        """A bar chart for who does not see it."""
        return (
            f"Bar chart: {title}. {self.counted(wines, 'bar', 'bars')}; the figures stand on the sheet {self.REVENUE}."
        )

    def bands_described(self, title: str) -> str:
        """A chart of price bands for who does not see it."""
        return f"Column chart: {title}. How many products cost how much; the prices stand on the sheet {self.REVENUE}."

    # Other sheets

    def premium_sentence(self, figures: Figures, threshold: float) -> str:
        """What the premium sheet shows, or why it is empty."""
        price, score = self.amount(figures.threshold_price), self.score(threshold)
        if figures.premium == 0:
            return f"No wine is premium this month: no price is above {price} (z-score above {score})."
        wines = self.counted(figures.premium, "wine costs", "wines cost")
        share = self.percent(figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0))
        return (
            f"{wines} more than {price} (z-score above {score}) and "
            f"{self.makes(figures.premium)} {share} of the revenue."
        )

    def makes(self, number: int) -> str:
        """The verb for so many."""
        return self.plural(number, "makes", "make")

    def score(self, threshold: float) -> str:
        """A threshold as short as it is."""
        return f"{threshold:g}".replace(".", self.DECIMAL)

    def changes_note(self, comparison: Comparison) -> str:
        """How to read the changes."""
        return f"{self.compared_with(comparison)}. A product stands here once for each thing that changed."

    def rows_read(self, rows: int) -> str:
        """Heads the counts of one workbook."""
        return f"{self.counted(rows, 'row', 'rows')} read"

    def rows_cut(self, shown: int, total: int) -> str:
        """Says that a sheet is not long enough."""
        return f"The first {self.number(shown)} of {self.number(total)} rows: a sheet holds no more."

    def issues_note(self, rows: int) -> str:
        """What the rows to look at are."""
        return f"{self.counted(rows, 'row or cell', 'rows and cells')}: where it is, what is wrong, what to do."

    def reason(self, rule: str | None, detail: str | None) -> str:
        """Why rows became what they are, as a sentence."""
        if rule is None:
            return "Nothing against it"
        sentence = f"{self.SUBJECTS.get(rule, 'The cell')} {self.problem(rule)}"
        return sentence if detail is None else f"{sentence} ({detail})"

    def problem(self, rule: str) -> str:
        """Completes an address and a value; the code itself where the catalogue does not know it."""
        return self.SENTENCES.get(rule, rule).replace("{other}", "another row")

    def workbook(self, file: str, size: int, sha256: str) -> str:
        """One of the three workbooks, exactly."""
        return f"{file}, {self.number(size)} bytes, SHA-256 {sha256}"

    def definitions(self, parameters: Parameters) -> list[tuple[str, str]]:
        """What each figure means: a term and a sentence or two."""
        score = self.score(parameters.premium_threshold)
        return [
            ("Month", self.snapshot_note(parameters.month)),
            ("Product", "A product that is in the ERP, in the link table and in the web shop. Only these are counted."),
            ("Price", "The ERP's selling price of one bottle, rounded half up to cents; taxes as in the ERP."),
            ("Revenue", "Price times units sold, to the cent: everything the shop ever sold of it, at today's price."),
            (
                "Share, cumulative share",
                "A product's part of all revenue; and its own with that of all ranked before it.",
            ),
            (
                "Products that make 80 %",
                "The fewest best-selling products that together bring at least 80 % of the revenue.",
            ),
            (
                "Premium",
                (
                    f"The z-score of the price is above {score}: the price is more than {score} "
                    "standard deviations above the "
                    "mean price of all products (population standard deviation)."
                ),
            ),
            (
                "Sold since",
                (
                    "How far the shop's counter grew since the month compared with; in euros, "
                    "times today's price. This is what "
                    "was sold between the two snapshots."
                ),
            ),
            (
                "New prices",
                (
                    "What a new price does to the revenue of units that were sold before. It "
                    "moves the total without a sale and "
                    "therefore stands apart."
                ),
            ),
            (
                "New, gone",
                "A product that only this month has, or only the month compared with. It counts with all its units.",
            ),
            (
                "Counter that fell",
                (
                    "A counter of sales only grows. Where it fell, an order was deleted or the "
                    "product was made anew in the "
                    "shop; the fall is shown apart and never set off against sales."
                ),
            ),
            (
                "Sold out, nearly out",
                f"Products with sales and no bottle in the ERP's stock, or fewer than {LOW_STOCK}.",
            ),
            ("Not moving", "Products in stock of which not one unit was ever sold; valued at the selling price."),
            (
                "Months left",
                (
                    "Bottles in stock divided by the units sold per month since the month "
                    "compared with; empty where nothing "
                    "was sold since."
                ),
            ),
            (
                "What is missing",
                (
                    "Rows without a partner in the other workbooks are rejected, and counted "
                    "with the units that they carry. "
                    "Such units have no price and are in no figure."
                ),
            ),
        ]
