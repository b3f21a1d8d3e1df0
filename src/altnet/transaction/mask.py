"""Keeps secrets out of what is shown: Ansible censors whole values, not words in a checker's output."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "(hidden)"
_SEPARATORS = re.compile(r"[\s=:\"',;{}\[\]()]+")
_SHORTEST = 6  # characters: shorter words would hide half of every message


class Mask:
    """Hides the words of sensitive files.

    Of a line with several words the first is taken for its keyword and shown (``PrivateKey = ...``); every
    other word of at least six characters is hidden wherever it appears.
    """

    def __init__(self, contents: Iterable[bytes]) -> None:
        words: set[str] = set()
        for content in contents:
            for line in content.decode("utf-8", "replace").splitlines():
                found = [word for word in _SEPARATORS.split(line) if word]
                words.update(word for word in (found[1:] or found) if len(word) >= _SHORTEST)
        ordered = sorted(words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def hide(self, text: str) -> str:
        """Return ``text`` without the words of sensitive files."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text
