"""Constellations: element sets from TLE files, OMM files or Walker parameters, and a report on every record."""

from twin.catalogue.catalogue import Catalogue
from twin.catalogue.elements import ElementSet
from twin.catalogue.fetch import FetchResult, fetch
from twin.catalogue.health import CatalogueHealth, Dropped, FileHealth, in_use
from twin.catalogue.read import read_catalogue
from twin.catalogue.tle import tle_text, write_tle
from twin.catalogue.walker import Walker, walker_catalogue, walker_delta, walker_star, walker_text

__all__ = [
    "Catalogue",
    "CatalogueHealth",
    "Dropped",
    "ElementSet",
    "FetchResult",
    "FileHealth",
    "Walker",
    "fetch",
    "in_use",
    "read_catalogue",
    "tle_text",
    "walker_catalogue",
    "walker_delta",
    "walker_star",
    "walker_text",
    "write_tle",
]
