"""Values held against a role's specification, to the last nested key.

Ansible's own validation of role arguments takes less care: it accepts text where a role iterates over a list, its
messages do not say which entry is wrong, and the nearest known name has to be guessed by the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common import validation

from altnet.errors import Problem
from altnet.inventory.reader import did_you_mean, kind

#: What a type is called, and who says whether a value is one. Roles get the value as it stands, never converted.
TYPES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "bool": ("true or false", validation.check_type_bool),
    "int": ("a whole number", validation.check_type_int),
    "float": ("a number", validation.check_type_float),
    "str": ("a text", lambda value: instance(value, str, int, float)),
    "path": ("a path", lambda value: instance(value, str)),
    "list": ("a list", lambda value: instance(value, list)),
    "dict": ("a mapping", lambda value: instance(value, dict)),
}


def instance(value: object, *types: type) -> object:
    """Return ``value``; TypeError where it is of none of the types."""
    if not isinstance(value, types):
        raise TypeError(value)
    return value


def refusals(name: str, options: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what ``options`` (a role's specification) refuse in host ``name``'s ``values``.

    A variable that is not in ``values`` has its default or is handed over by a playbook, and is no problem.
    """
    for key, value in values.items():
        if key in options:
            yield from check(name, key, options[key], value)


def check(name: str, path: str, option: Mapping[str, Any], value: Any) -> Iterator[Problem]:
    """Yield what is wrong with one value, ``path`` being its variable and the way to it."""
    kept_secret = option.get("no_log", False)
    if value is None and option.get("default", ...) is None:
        return
    wrong = misfit(option.get("type", "str"), value, secret=kept_secret)
    if wrong:
        yield Problem(name, path, *wrong)
        return
    choices = option.get("choices")
    if choices and not isinstance(value, list) and value not in choices:
        yield Problem(name, path, f"is {value!r}", did_you_mean(str(value), [str(choice) for choice in choices]))
    if isinstance(value, list):
        element = {key: option[key] for key in ("options", "choices", "no_log") if key in option}
        for index, item in enumerate(value if "elements" in option else ()):
            yield from check(name, f"{path}[{index}]", {**element, "type": option["elements"]}, item)
    elif isinstance(value, dict) and option.get("options"):
        yield from nested(name, path, option["options"], value)


def nested(name: str, path: str, options: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a mapping whose keys are specified."""
    for key, value in values.items():
        if key in options:
            yield from check(name, f"{path}.{key}", options[key], value)
        else:
            yield Problem(name, f"{path}.{key}", "is no setting that Altnet knows", did_you_mean(str(key), options))
    for key, option in options.items():
        if option.get("required") and key not in values:
            yield Problem(name, f"{path}.{key}", "is missing", f"add it: {described(option)}")


def described(option: Mapping[str, Any]) -> str:
    """Return what an option takes, in words."""
    if option.get("choices"):
        return " or ".join(map(str, option["choices"]))
    return TYPES[option.get("type", "str")][0]


def misfit(wanted: str, value: Any, *, secret: bool) -> tuple[str, str] | None:
    """Return what and remedy where ``value`` is not of the type ``wanted``."""
    word, convert = TYPES[wanted]
    try:
        if value is None:
            raise TypeError(value)
        convert(value)
    except (TypeError, ValueError):
        if value is None:
            return f"is empty, not {word}", f"give {word}, or remove the line"
        shown = "" if secret or isinstance(value, (list, dict)) else f" ({value!r})"
        return f"is {kind(value)}{shown}, not {word}", f"give {word}"
    return None
