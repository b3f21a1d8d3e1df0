"""``python3 -m altnet.cli``."""

import sys

from altnet.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
