"""The month in a lean way: one script with Polars, fastexcel and XlsxWriter, no orchestrator and no checks.

`python lean_way.py SOURCE DESTINATION` writes what `usual_way.py` writes, with the libraries of the pipeline.
"""

import html
import sys
from pathlib import Path

import fastexcel
import polars as pl
import xlsxwriter

PREMIUM_THRESHOLD = 2


def read_sheet(path: Path, **columns: fastexcel.DType) -> pl.LazyFrame:
    """These columns of the first sheet."""
    return fastexcel.read_excel(path).load_sheet(0, use_columns=list(columns), dtypes=columns).to_polars().lazy()


def classified(source: Path) -> pl.DataFrame:
    """One row per product that is in all three workbooks, with revenue and z-score."""
    erp = read_sheet(source / "erp.xlsx", product_id="string", price="float").drop_nulls("product_id")
    liaison = read_sheet(source / "liaison.xlsx", product_id="string", id_web="string").drop_nulls()
    texts = {"sku": "string", "post_title": "string", "post_type": "string"}
    web = read_sheet(source / "web.xlsx", total_sales="float", **texts).filter(post_type="product").drop_nulls("sku")
    price = pl.col("price").round(2).cast(pl.Decimal(18, 2))
    return (
        erp.unique("product_id")
        .join(liaison.unique("product_id"), on="product_id")
        .with_columns(key=pl.col("id_web").str.to_lowercase())
        .join(web.unique("sku", keep="first").with_columns(key=pl.col("sku").str.to_lowercase()), on="key")
        .with_columns(
            pl.col("post_title").map_elements(html.unescape, return_dtype=pl.String).str.strip_chars(),
            pl.col("total_sales").cast(pl.Int64),
            price,
        )
        .select("product_id", "sku", "post_title", "total_sales", "price", revenue=price * pl.col("total_sales"))
        .with_columns(z_score=(pl.col("price") - pl.mean("price")) / pl.col("price").cast(pl.Float64).std(ddof=0))
        .sort("revenue", "product_id", descending=[True, False])
        .collect()
    )


def write_reports(wines: pl.DataFrame, destination: Path) -> None:
    """The workbook and the CSV files."""
    destination.mkdir(parents=True, exist_ok=True)
    is_premium = pl.col("z_score") > PREMIUM_THRESHOLD
    premium, ordinary = wines.filter(is_premium), wines.remove(is_premium)
    summary = {
        "Total revenue": wines["revenue"].sum(), "Units sold": wines["total_sales"].sum(), "Products": wines.height,
        "Premium wines": premium.height, "Ordinary wines": ordinary.height,
    }  # fmt: skip
    figures = pl.DataFrame({"figure": summary.keys(), "value": map(float, summary.values())})
    with xlsxwriter.Workbook(destination / "sales_report.xlsx", {"constant_memory": False}) as workbook:
        for name, rows in (("Summary", figures), ("Revenue by product", wines), ("Premium wines", premium)):
            rows.write_excel(workbook, name)
    for name, rows in (("premium_wines", premium), ("ordinary_wines", ordinary)):
        rows.write_csv(destination / f"{name}.csv", float_precision=6)


if __name__ == "__main__":
    write_reports(classified(Path(sys.argv[1])), Path(sys.argv[2]))
