from __future__ import annotations

import sys
from pathlib import Path

# Chat is tested with the directory's own servers.
sys.path.insert(0, str(Path(__file__).parents[1] / "directory_real"))
