from __future__ import annotations

from hypothesis import settings

# A machine that has other things to do takes its time, which is no fault of what is tested.
settings.register_profile("altnet", deadline=None)
settings.load_profile("altnet")
