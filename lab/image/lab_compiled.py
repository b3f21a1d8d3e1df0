"""Keeps what Python compiles out of zip files, on the lab's machines alone, where lab_compiled.pth has it imported.

Ansible sends each module as a zip file of sources, and half of an execution's processor time is spent on compiling
them anew. A network's hosts have processors of their own for that; the lab's machines share the control node's.
"""

# Every Python that starts pays for what is imported here: no pathlib, no typing.
# ruff: noqa: PTH103, PTH105, PTH118, PTH123
import _imp
import hashlib
import marshal
import os
import zipimport
from types import CodeType

CACHE = "/var/cache/lab-compiled"
_compile = zipimport._compile_source  # type: ignore[attr-defined]  # there is no other handle


def compiled(path: str, source: bytes) -> CodeType:
    """Return the code of ``source``, from the cache if it was ever compiled; ``path`` is where it says it is from."""
    kept = os.path.join(CACHE, hashlib.sha256(source).hexdigest())
    try:
        with open(kept, "rb") as file:
            found: CodeType = marshal.loads(file.read())  # noqa: S302 - root wrote it
        _imp._fix_co_filename(found, path)  # type: ignore[attr-defined]
        return found
    except (OSError, EOFError, ValueError, TypeError):
        pass
    code: CodeType = _compile(path, source)
    try:
        os.makedirs(CACHE, mode=0o700, exist_ok=True)
        with open(f"{kept}.{os.getpid()}", "wb") as file:
            file.write(marshal.dumps(code))
        os.replace(f"{kept}.{os.getpid()}", kept)
    except OSError:
        pass
    return code


zipimport._compile_source = compiled  # type: ignore[attr-defined]
