"""From an .xlsx workbook to a staged table."""
