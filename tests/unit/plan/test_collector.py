"""The collector is off while a plan is made, and afterwards as it was."""

from __future__ import annotations

import gc

import pytest

from altnet.collector import set_aside


@pytest.fixture(autouse=True)
def _on():
    gc.enable()
    yield
    gc.enable()


def test_it_is_off_within_and_on_again() -> None:
    with set_aside():
        assert not gc.isenabled()
        with set_aside():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_leaves_it_on() -> None:
    @set_aside()
    def refused() -> None:
        raise ValueError("refused")

    for _ in range(2):
        with pytest.raises(ValueError, match="refused"):
            refused()
        assert gc.isenabled()


def test_who_has_it_off_keeps_it_off() -> None:
    gc.disable()
    with set_aside():
        pass
    assert not gc.isenabled()
