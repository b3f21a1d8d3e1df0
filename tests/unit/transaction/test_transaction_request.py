"""Arguments that contradict themselves are refused with their place."""

from __future__ import annotations

import pytest

from altnet.transaction import RequestError
from altnet.transaction.request import parse

FILE = {"path": "/etc/a", "mode": "0644"}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"name": "Bird"}, "name: 'Bird' is not a transaction name"),
        ({"name": "a/b"}, "name: 'a/b'"),
        ({"files": [FILE, {"path": "etc/b"}]}, "files[1].path: 'etc/b' is not absolute"),
        ({"files": [FILE, {"path": "/etc/../b"}]}, "files[1].path: '/etc/../b' is not plain"),
        ({"files": [FILE, {"path": "//etc/b"}]}, "files[1].path: '//etc/b' is not plain"),
        ({"files": [FILE, {"path": "/etc/b/"}]}, "files[1].path: '/etc/b/' is not plain"),
        ({"files": [FILE, {"path": "/etc/b\n"}]}, "files[1].path: '/etc/b\\n' has control characters"),
        ({"files": [FILE, FILE]}, "files[1].path: /etc/a is in the set twice (first files[0].path)"),
        ({"files": [FILE, {"path": "/etc/a/b"}]}, "files[1].path: /etc/a is a file of the set too"),
        ({"files": [{"path": "/etc/a", "mode": "416"}]}, "files[0].mode: '416' is not a mode"),
        ({"files": [{"path": "/etc/c"}]}, "files[0].content: nothing to write"),
        ({"unit": "bird"}, "unit: 'bird' is not a unit name"),
        ({"unit": "-x.service; rm"}, "unit: "),
        ({"check": ["bird -p"]}, "check[0]: not a command"),
        ({"drift": "nft"}, "drift: not a list of commands"),
        ({"health": {"command": ["x"], "healthy": "("}}, "health.healthy: not a regular expression"),
        ({"health": {"command": ["x"], "healthy": "a"}}, "health.healthy: no group named item"),
        (
            {"health": {"command": ["x"], "expect": ["a"]}},
            "health.expect: items are expected but not recognized",
        ),
        ({"health": {"command": []}}, "health.command: not a command"),
        ({"health": {"command": ["x"], "timeout": -1}}, "health.timeout: -1 is not a time"),
        ({"confirm": {"timeout": 0}}, "confirm.timeout: 0 is not a time"),
        ({"state": "gone"}, "state: 'gone' is not a state"),
    ],
)
def test_refused(params, text):
    with pytest.raises(RequestError) as caught:
        parse({"name": "bird", **params}, {"/etc/a": b"", "/etc/b": b"", "/etc/a/b": b""})
    assert text in str(caught.value)


def test_all_problems_at_once():
    with pytest.raises(RequestError) as caught:
        parse({"name": "X", "unit": "x", "files": [{"path": "x"}]}, {})
    assert len(caught.value.problems) == 4


def test_defaults():
    request = parse({"name": "bird", "files": [FILE]}, {"/etc/a": b"x"})
    assert (request.files[0].owner, request.files[0].mode, request.confirm) == ("root", 0o644, None)
