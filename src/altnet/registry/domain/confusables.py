"""What a label looks like: labels of other letters that people cannot tell apart (Unicode UTS 39, in small).

The table has what looks like a Latin letter or digit in lower case, of the scripts that :mod:`.labels` lets in, and
what looks alike between Kana and Han. It is ours, not Unicode's list: that one holds 6,000 signs of scripts and
capitals that cannot be in a name here.
"""

# The whole file is of signs that look alike.
# ruff: noqa: RUF001

from __future__ import annotations

import functools
import unicodedata
from typing import Final

_PAIRS: Final = {
    # Cyrillic
    "а": "a", "ӑ": "ă", "ӓ": "ä", "ь": "b", "с": "c", "ԁ": "d", "е": "e", "ҽ": "e", "ё": "ë", "һ": "h",
    "і": "i", "ї": "ï", "ј": "j", "ӏ": "l", "п": "n", "о": "o", "р": "p", "ԛ": "q",
    "г": "r", "ѕ": "s", "ѵ": "v", "ԝ": "w", "ѡ": "w", "х": "x", "ҳ": "x", "у": "y", "ү": "y", "ұ": "y",
    "з": "3", "б": "6", "ԍ": "g", "ӕ": "æ",
    # Greek
    "α": "a", "ϲ": "c", "ι": "i", "ϳ": "j", "ν": "v", "ο": "o",
    "ρ": "p", "σ": "o", "υ": "u", "γ": "y",
    # Armenian
    "ց": "g", "հ": "h", "յ": "j", "լ": "l", "ո": "n", "ռ": "n", "օ": "o", "գ": "q", "զ": "q", "ս": "u",
    "ա": "w", "տ": "s", "ւ": "i", "ք": "f",
    # Latin
    "ı": "i", "ɩ": "i", "ɑ": "a", "ɡ": "g", "ʋ": "v", "ʟ": "l", "ǀ": "l", "ꞵ": "ß", "ɪ": "i", "ʏ": "y", "ᴏ": "o",
    "ᴄ": "c", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ꜱ": "s", "ĸ": "k", "ɴ": "n", "ʀ": "r", "ᴜ": "u", "ᴘ": "p", "ᴛ": "t",
    # What is a small circle in other scripts
    "ס": "o", "ه": "o", "ة": "o", "ঠ": "o", "ഠ": "o", "ဝ": "o", "ଠ": "o",
    # Kana and Han
    "ロ": "口", "カ": "力", "タ": "夕", "ト": "卜", "エ": "工", "ハ": "八", "ニ": "二", "チ": "千", "ミ": "彡",
    "ヘ": "へ", "ベ": "べ", "ペ": "ぺ", "リ": "り", "ー": "一", "ノ": "丿", "メ": "乄", "オ": "才", "ヌ": "又",
}  # fmt: skip
#: What people may well tell apart, but need not: the registrars look at it.
_NEAR: Final = {
    "0": "o", "1": "l", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "p",
    "ð": "d", "ŋ": "n",
    # Small capitals of other scripts
    "в": "b", "н": "h", "к": "k", "м": "m", "т": "t",
    "ε": "e", "η": "n", "κ": "k", "μ": "u", "τ": "t", "ω": "w", "χ": "x", "π": "n", "β": "ss", "ә": "e",
}  # fmt: skip


def skeleton(label: str) -> str:
    """Return what a label (U-label) looks like: two labels with one skeleton cannot be told apart."""
    # Composed as a whole: the table holds letters with the marks that belong to them.
    return unicodedata.normalize("NFC", "".join(_looks(letter) for letter in unicodedata.normalize("NFC", label)))


@functools.lru_cache(maxsize=20_000)
def likeness(label: str) -> str:
    """Return the wider form of :func:`skeleton`: without accents, and with o for 0 and l for 1."""
    if label.isascii():
        # Nothing else of ASCII is in the tables, and most names are of it.
        return label.replace("0", "o").replace("1", "l")
    bare = (letter for letter in unicodedata.normalize("NFD", skeleton(label)) if not _is_accent(letter))
    composed = unicodedata.normalize("NFC", "".join(bare))
    return "".join(_NEAR.get(near := _looks(letter), near) for letter in composed)


def _looks(letter: str) -> str:
    if not letter.isascii() and unicodedata.decimal(letter, None) == 0:
        return "o"
    return _PAIRS.get(letter, letter)


def _is_accent(letter: str) -> bool:
    """Say whether it is a mark on a letter of Latin, Greek or Cyrillic: elsewhere marks are vowels."""
    return "\u0300" <= letter <= "\u036f"
