"""WHERE maps are that are not on this machine: in object stores and on web servers, by URL.

What is here costs a run without URLs nothing: fsspec is imported when the first one is opened.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from gpool_cli.errors import UsageError
from gpool_cli.printable import printable

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Scheme:
    """One kind of URL in the table.

    Attributes:
        package: What must be installed for it beside fsspec.
        store: ``module:Class`` of the store that it means.
        keeps: It has prefixes that can be listed, and objects that are written whole.
    """

    package: str
    store: str
    keeps: bool


INSTALL = "install it with: pip install 'gpool[remote]'"
"""What to do where a package is missing that URLs need."""

TABLE = {
    "s3": Scheme("s3fs", "gpool_cli.remote.s3:S3Store", True),
    "gs": Scheme("gcsfs", "gpool_cli.remote.objects:ObjectStore", True),
    "http": Scheme("aiohttp", "gpool_cli.remote.web:WebStore", False),
    "https": Scheme("aiohttp", "gpool_cli.remote.web:WebStore", False),
}


def is_url(path: str) -> bool:
    """Whether an input or an output is a URL, and no path."""
    return "://" in path and _URL.match(path) is not None


def scheme_of(url: str) -> Scheme:
    """What kind of URL it is.

    Raises:
        UsageError: gpool knows none of that kind, or it has a password in it.
    """
    found = _URL.fullmatch(url)
    scheme = TABLE.get(found[1].lower()) if found is not None else None
    if found is None or scheme is None:
        known = " ".join(f"{name}://" for name in TABLE)
        raise UsageError(f"{printable(url)} is no URL that gpool reads", f"it reads {known}")
    host = found[2].partition("/")[0]
    if not host:
        raise UsageError(f"{printable(url)} names no host or bucket", "check the URL")
    if "@" in host:
        raise UsageError(
            f"the URL of {printable(host.rpartition('@')[2])} has a user name in it",
            "it would stand in reports: leave it out",
        )
    return scheme


def place_of(url: str) -> str:
    """Host or bucket and the path below it, without what a web server is asked beside them."""
    found = _URL.fullmatch(url)
    assert found is not None
    place = found[2]
    return re.split("[?#]", place, maxsplit=1)[0] if found[1].lower().startswith("http") else place


def name_of(url: str) -> str:
    """The last part of a URL, or of a path."""
    return posixpath.basename(place_of(url)) if is_url(url) else posixpath.basename(url)
