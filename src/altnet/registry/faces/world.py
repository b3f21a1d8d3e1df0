"""What every face is given: where acts are done, who signs in how, and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..acts.desk import Desk
    from ..settings import Settings
    from .signin.signin import Signin


@dataclass(frozen=True)
class World:
    """One registry's parts."""

    desk: Desk
    signin: Signin
    settings: Settings
