"""``twin`` and ``python -m twin``."""

import sys

from twin.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
