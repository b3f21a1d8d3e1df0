"""Words of sensitive files are hidden, keywords and short words are not."""

from __future__ import annotations

import pytest

from altnet.transaction.mask import Mask


@pytest.mark.parametrize(
    ("content", "shown", "expected"),
    [
        (
            "PrivateKey = c2VjcmV0c2VjcmV0c2VjcmV0c2U=\n",
            "PrivateKey c2VjcmV0c2VjcmV0c2VjcmV0c2U=",
            "PrivateKey (hidden)=",
        ),
        ("alonealone\n", "got alonealone here", "got (hidden) here"),
        ("user: abcdefgh\n", "user abcdefgh abcdef", "user (hidden) abcdef"),
        ("port 53\n", "port 53", "port 53"),
        ('password "abc.def+ghi";\n', "near abc.def+ghi\nand abcxdef+ghi", "near (hidden)\nand abcxdef+ghi"),
        ("", "anything", "anything"),
    ],
)
def test_hide(content, shown, expected):
    assert Mask([content.encode()]).hide(shown) == expected
