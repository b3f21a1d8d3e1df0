"""What the lab's machines import out of zip files, compiled once: a real Python, and a zip as Ansible makes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

LAB = Path(__file__).parents[3] / "lab" / "image"
#: Imports the module and lets it fail, with the cache in a directory of the test's.
PROGRAM = """
import sys
sys.path[:0] = [{here!r}, {archive!r}]
import lab_compiled
lab_compiled.CACHE = {cache!r}
import sent
print(sent.answer())
sent.fail()
"""
MODULE = "def answer():\n    return {answer}\ndef fail():\n    raise ValueError('no')\n"


def run(root: Path, answer: int, name: str) -> subprocess.CompletedProcess[str]:
    """Send the module as a zip file of another name, and run it."""
    archive = root / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("sent.py", MODULE.format(answer=answer))
    shutil.copy(LAB / "lab_compiled.py", root)
    program = PROGRAM.format(here=str(root), archive=str(archive), cache=str(root / "cache"))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_it_is_compiled_once_and_says_where_it_is_from(tmp_path: Path) -> None:
    first, again = run(tmp_path, 1, "one"), run(tmp_path, 1, "two")
    (kept,) = (tmp_path / "cache").iterdir()
    for done, name in ((first, "one"), (again, "two")):
        assert done.stdout == "1\n"
        assert f"{name}.zip/sent.py" in done.stderr, "a traceback names the file of this execution"
        assert "ValueError: no" in done.stderr
    assert kept.read_bytes()


def test_other_sources_are_others_and_a_damaged_cache_is_none(tmp_path: Path) -> None:
    assert run(tmp_path, 1, "one").stdout == "1\n"
    assert run(tmp_path, 2, "one").stdout == "2\n"
    for kept in (tmp_path / "cache").iterdir():
        kept.write_bytes(b"x")
    assert run(tmp_path, 2, "one").stdout == "2\n"
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("no directory")
    assert run(tmp_path, 2, "one").stdout == "2\n"


def test_every_python_of_a_machine_imports_it() -> None:
    assert (LAB / "lab_compiled.pth").read_text() == "import lab_compiled\n"
    copied = "COPY lab_compiled.py lab_compiled.pth /usr/lib/python3/dist-packages/"
    assert copied in (LAB / "Dockerfile").read_text()
