"""The report of a run: one self-contained HTML page."""

from twin.report.findings import Findings
from twin.report.page import page_of, write_report

__all__ = ["Findings", "page_of", "write_report"]
