"""PowerDNS's "account" of a zone, by which it is known whose it is and whether it is finished."""

from __future__ import annotations

from typing import Final

#: Of a zone whose keys are being changed. Keys do not move the serial, so a run that was killed between a key and the
#: serial leaves this mark, and the next run moves the serial.
UNFINISHED: Final = "altnet-keys"
#: Of a zone that is the registry's, and the same mark for it.
REGISTRY: Final = "altnet-registry"
REGISTRY_UNFINISHED: Final = "altnet-registry-keys"
