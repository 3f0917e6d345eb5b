"""Record the digests anew: ``python -m tests.goldens``; a change that means to change rows says so."""

import json
import sys
import tempfile
from pathlib import Path

from tests.goldens.digest import digests
from tests.goldens.machine import fingerprint
from tests.goldens.run import whole
from tests.goldens.scenes import FEATURES, SHIPPED, STARLINK, feature, shipped

FILE = Path(__file__).with_name("digests.json")


def main(only: list[str]) -> None:
    """Run every scenario, or some of them, and keep what came out."""
    kept = json.loads(FILE.read_text())["scenes"] if FILE.exists() else {}
    for name in [*FEATURES, *SHIPPED]:
        if only and name not in only:
            continue
        if name in SHIPPED and "source" in str(SHIPPED[name][1]) and not STARLINK.exists():
            continue
        tree = feature(name) if name in FEATURES else shipped(name)
        with tempfile.TemporaryDirectory() as folder:
            kept[name] = digests(whole(tree, Path(folder) / "trace"))
    text = json.dumps({"machine": fingerprint(), "scenes": dict(sorted(kept.items()))}, indent=None)
    FILE.write_text(text.replace('"rows"', '\n"rows"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
