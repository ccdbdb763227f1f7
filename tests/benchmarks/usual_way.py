"""The month in the usual way: one script with pandas, openpyxl and DuckDB, no orchestrator and no checks.

`python usual_way.py SOURCE DESTINATION` reads the same three workbooks and writes a workbook with the sheets Summary,
Revenue by product and Premium wines, and the two CSV files of wines. It is what the pipeline is measured against, so
it takes no detour: each workbook is read once with the columns it needs, the join is one query, and pandas writes.
"""

import html
import sys
from pathlib import Path

import duckdb
import pandas as pd

PREMIUM_THRESHOLD = 2

JOIN = """
    SELECT erp.product_id, web.sku, web.post_title,
           CAST(web.total_sales AS BIGINT) AS total_sales,
           CAST(erp.price AS DECIMAL(18, 2)) AS price,
           CAST(erp.price AS DECIMAL(18, 2)) * CAST(web.total_sales AS BIGINT) AS revenue
    FROM erp
    JOIN liaison USING (product_id)
    JOIN web ON lower(liaison.id_web) = lower(web.sku)
    ORDER BY revenue DESC, product_id
"""


def read_month(source: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows of the three workbooks that can be joined."""
    keys = {"product_id": str, "id_web": str, "sku": str}
    erp = pd.read_excel(source / "erp.xlsx", usecols=["product_id", "price"], dtype=keys)
    liaison = pd.read_excel(source / "liaison.xlsx", usecols=["product_id", "id_web"], dtype=keys)
    columns = ["sku", "total_sales", "post_title", "post_type"]
    web = pd.read_excel(source / "web.xlsx", usecols=columns, dtype=keys)
    web = web[(web["post_type"] == "product") & web["sku"].notna()].drop_duplicates("sku")
    web["post_title"] = web["post_title"].map(html.unescape).str.strip()
    return (
        erp.dropna(subset="product_id").drop_duplicates("product_id"),
        liaison.dropna().drop_duplicates("product_id"),
        web.drop(columns="post_type"),
    )


def classified(erp: pd.DataFrame, liaison: pd.DataFrame, web: pd.DataFrame) -> pd.DataFrame:
    """One row per product, with revenue and z-score."""
    with duckdb.connect() as connection:
        for name, frame in (("erp", erp), ("liaison", liaison), ("web", web)):
            connection.register(name, frame)
        wines = connection.execute(JOIN).df()
    wines["z_score"] = (wines["price"] - wines["price"].mean()) / wines["price"].std(ddof=0)
    return wines


def write_reports(wines: pd.DataFrame, destination: Path) -> None:
    """The workbook and the CSV files."""
    destination.mkdir(parents=True, exist_ok=True)
    is_premium = wines["z_score"] > PREMIUM_THRESHOLD
    premium, ordinary = wines[is_premium], wines[~is_premium]
    summary = pd.DataFrame(
        {
            "figure": ["Total revenue", "Units sold", "Products", "Premium wines", "Ordinary wines"],
            "value": [wines["revenue"].sum(), wines["total_sales"].sum(), len(wines), len(premium), len(ordinary)],
        }
    )
    with pd.ExcelWriter(destination / "sales_report.xlsx", engine="openpyxl") as workbook:
        summary.to_excel(workbook, sheet_name="Summary", index=False)
        wines.to_excel(workbook, sheet_name="Revenue by product", index=False)
        premium.to_excel(workbook, sheet_name="Premium wines", index=False)
    for name, rows in (("premium_wines", premium), ("ordinary_wines", ordinary)):
        rounded = rows.assign(
            price=rows["price"].map("{:.2f}".format),
            revenue=rows["revenue"].map("{:.2f}".format),
            z_score=rows["z_score"].map("{:.6f}".format),
        )
        rounded.to_csv(destination / f"{name}.csv", index=False)


if __name__ == "__main__":
    write_reports(classified(*read_month(Path(sys.argv[1]))), Path(sys.argv[2]))
