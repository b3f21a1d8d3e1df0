from __future__ import annotations

import sys
from pathlib import Path

# What renders the role's own configuration.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "resolver"))
