"""Our reading of a specification refuses what Ansible's refuses, and text in place of lists and mappings besides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet.controller.specification import refusals
from altnet.controller.variables import role_options, roles

OPTIONS = {key: option for role in roles() for key, option in role_options(role).items()}
WORDS = ["ports", "protocol", "sources", "port", "strategy", "degree", "links", "tcp", "full", "ipv4", "x", "7"]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.sampled_from(WORDS))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)),
    max_leaves=6,
)


def theirs(key: str, value: object) -> list[str]:
    validator = ArgumentSpecValidator({key: {**OPTIONS[key], "required": False}})
    try:
        return list(validator.validate({key: value}).error_messages)
    except (TypeError, AttributeError) as error:  # it falls over a mapping with options that is no mapping
        return [str(error)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(OPTIONS)), VALUES)
def test_as_strict_as_ansible(key: str, value: Any) -> None:
    ours = list(refusals("fra", OPTIONS, {key: value}))
    if theirs(key, value):
        assert ours, (key, value, theirs(key, value))
    for problem in ours:
        assert problem.host == "fra"
        assert problem.variable.startswith(key)
        assert problem.what
        assert problem.remedy


@pytest.mark.parametrize("key", sorted(OPTIONS))
def test_defaults_pass(key: str) -> None:
    default = OPTIONS[key].get("default")
    if isinstance(default, str) and "{{" in default:
        return
    if "{{" not in str(default) and not OPTIONS[key].get("required"):
        assert list(refusals("fra", OPTIONS, {key: default})) == []


def test_a_secret_is_not_shown() -> None:
    (problem,) = refusals("fra", {"secret": {"type": "int", "no_log": True}}, {"secret": "hRt7vQwL"})
    assert "hRt7" not in str(problem)
