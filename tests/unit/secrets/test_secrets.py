"""Derived secrets: the RFC's vectors, and that no two inputs share one."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet import secrets
from altnet.errors import AltnetError

MASTER = "correct horse battery staple and one more"


def span(first, last):
    return bytes(range(first, last + 1))


@pytest.mark.parametrize(
    ("inputs", "key", "output"),
    [
        (
            (b"\x0b" * 22, span(0x00, 0x0C), span(0xF0, 0xF9), 42),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            (span(0x00, 0x4F), span(0x60, 0xAF), span(0xB0, 0xFF), 82),
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            (b"\x0b" * 22, b"", b"", 42),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_5869(inputs, key, output):
    material, salt, info, length = inputs
    assert secrets.extract(salt, material).hex() == key
    assert secrets.expand(bytes.fromhex(key), info, length).hex() == output


@given(st.tuples(st.text(min_size=1), st.integers(0, 2**64 - 1)), st.tuples(st.text(min_size=1), st.integers(0, 9)))
def test_no_two_labels_and_epochs_share_a_secret(one, other):
    same = secrets.derive(MASTER, *one) == secrets.derive(MASTER, *other)
    assert same == (one == other)


def test_a_label_does_not_run_into_its_epoch():
    assert secrets.derive(MASTER, "a1", 1) != secrets.derive(MASTER, "a", 11)
    assert secrets.derive(MASTER, "a\0\0\0\0\0\0\0\0", 0) != secrets.derive(MASTER, "a", 0)


def test_secrets_stay_what_they_are():
    # A change here means that every network must rotate everything at once.
    expected = "GxQgAJ4fCF0PkWCZWEI8pDjhUEbIups5g85yVT3KFIo="
    assert secrets.wireguard_psk(MASTER, "wireguard/psk/1-2", 0) == expected


def test_white_space_around_a_vaulted_text_is_not_part_of_the_master():
    assert secrets.derive(MASTER + "\n", "a", 0) == secrets.derive(MASTER, "a", 0)


@given(st.integers(1, 8160))
def test_any_length_that_hkdf_can_give(length):
    assert len(secrets.derive(MASTER, "a", 0, length)) == length


@pytest.mark.parametrize("length", [0, -1, 8161])
def test_other_lengths_are_refused(length):
    with pytest.raises(ValueError, match="1 to 8160"):
        secrets.derive(MASTER, "a", 0, length)


@pytest.mark.parametrize("master", ["", "x" * 31, " " * 99, b"x" * 31])
def test_a_short_master_is_refused_without_being_shown(master):
    with pytest.raises(AltnetError, match="fewer than 32") as caught:
        secrets.derive(master, "a", 0)
    assert "xxx" not in str(caught.value)
    assert "openssl rand" in caught.value.problems[0].remedy


def test_a_negative_epoch_is_the_operators_and_an_empty_label_ours():
    with pytest.raises(AltnetError, match="secret a: has epoch -1"):
        secrets.derive(MASTER, "a", -1)
    with pytest.raises(ValueError, match="label"):
        secrets.derive(MASTER, "", 0)


@given(st.integers(1, 11383), st.integers(1, 11383))
def test_both_ends_of_a_pair_have_one_label(one, other):
    assert secrets.pair_label(one, other) == secrets.pair_label(other, one)
    assert secrets.pair_label(2, 10) == "wireguard/psk/2-10"


def test_a_psk_is_what_wireguard_takes():
    assert len(base64.b64decode(secrets.wireguard_psk(MASTER, "wireguard/psk/1-2", 3))) == 32
