"""Filters: thin wrappers around the pure functions of the altnet package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible.errors import AnsibleFilterError

from altnet import addressing, secrets
from altnet.apps import programs
from altnet.content.caddy import render as render_caddy
from altnet.directory import services, tree
from altnet.errors import AltnetError
from altnet.powerdns.apikey import api_hash

T = TypeVar("T", str, int)
WORDS: dict[type, str] = {str: "text", int: "a whole number"}


def need(filter_name: str, argument: str, value: object, wanted: type[T]) -> T:
    """Return ``value`` if it has the type that is wanted; else an error that names the type it has."""
    if not isinstance(value, wanted) or isinstance(value, bool):
        got = type(value).__name__
        raise AnsibleFilterError(f"{filter_name}: {argument} must be {WORDS[wanted]}, got {got}")
    return wanted(value)


def call(filter_name: str, function: Callable[..., str], *arguments: object) -> str:
    """Return the function's result; what is wrong with the arguments becomes an error of the filter."""
    try:
        return function(*arguments)
    except (AltnetError, ValueError) as error:
        raise AnsibleFilterError(f"{filter_name}: {error}") from error


def altnet_derive(master: object, label: object, epoch: object = 0, length: object = 32) -> str:
    name = "altnet_derive"
    secret, text = need(name, "the master secret", master, str), need(name, "label", label, str)
    numbers = need(name, "epoch", epoch, int), need(name, "length", length, int)
    return call(name, secrets.derive_base64, secret, text, *numbers)


def altnet_psk(master: object, label: object, epoch: object) -> str:
    name = "altnet_psk"
    secret, text = need(name, "the master secret", master, str), need(name, "label", label, str)
    return call(name, secrets.wireguard_psk, secret, text, need(name, "epoch", epoch, int))


def altnet_reverse_zone(network: object) -> str:
    name = "altnet_reverse_zone"
    return call(name, addressing.reverse_zone, need(name, "the network", network, str))


def altnet_link_local(host_id: object) -> str:
    name = "altnet_link_local"
    return call(name, addressing.link_local, need(name, "the id", host_id, int))


def altnet_loopback(host_id: object, prefix: object) -> str:
    name = "altnet_loopback"
    number, text = need(name, "the id", host_id, int), need(name, "prefix", prefix, str)
    return call(name, lambda: addressing.loopback(addressing.parse_prefix(text, allow_fc00=True), number))


def altnet_key_address(public_key: object, subnet: object) -> str:
    name = "altnet_key_address"
    key, network = need(name, "the public key", public_key, str), need(name, "subnet", subnet, str)
    return call(name, addressing.key_address, key, network)


def altnet_api_hash(key: object) -> str:
    name = "altnet_api_hash"
    return call(name, api_hash, need(name, "the key", key, str))


def altnet_directory_password(master: object, service: object, epochs: object = None) -> str:
    name = "altnet_directory_password"
    secret, text = need(name, "the master secret", master, str), need(name, "service", service, str)
    return call(name, services.password, secret, text, services.epoch_of(text, _epochs(name, epochs)))


def altnet_directory_hashes(master: object, epochs: object = None) -> dict[str, list[str]]:
    name = "altnet_directory_hashes"
    secret, numbers = need(name, "the master secret", master, str), _epochs(name, epochs)
    try:
        return services.accepted(secret, numbers)
    except AltnetError as error:
        raise AnsibleFilterError(f"{name}: {error}") from error


def altnet_directory_tree(base: object, hashes: object, policy: object) -> str:
    name = "altnet_directory_tree"
    if not isinstance(hashes, Mapping) or not isinstance(policy, Mapping):
        raise AnsibleFilterError(f"{name}: hashes and policy must be mappings")
    rules = tree.Policy(**{str(key): int(value) for key, value in policy.items()})
    return call(name, tree.first_entries, need(name, "the base", base, str), rules, hashes)


def _epochs(filter_name: str, epochs: object) -> dict[str, int]:
    if epochs is None:
        return {}
    if not isinstance(epochs, Mapping):
        raise AnsibleFilterError(f"{filter_name}: epochs must be a mapping, got {type(epochs).__name__}")
    return {str(service): need(filter_name, "an epoch", epoch, int) for service, epoch in epochs.items()}


def altnet_caddy(content: object) -> str:
    name = "altnet_caddy"
    if not isinstance(content, Mapping):
        raise AnsibleFilterError(f"{name}: the content must be a mapping, got {type(content).__name__}")
    try:
        return render_caddy(content)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"{name}: the content lacks {error}") from error


def altnet_program_files(parts: object, library: object) -> list[dict[str, str]]:
    name = "altnet_program_files"
    if not isinstance(parts, list):
        raise AnsibleFilterError(f"{name}: the programs must be a list, got {type(parts).__name__}")
    named = tuple(need(name, "a program", part, str) for part in parts)
    try:
        found = programs.copies(named, need(name, "the library", library, str))
    except (OSError, SyntaxError, ValueError) as error:
        raise AnsibleFilterError(f"{name}: {error}") from error
    return [{"path": path, "content": text} for path, text in found]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "altnet_derive": altnet_derive,
            "altnet_psk": altnet_psk,
            "altnet_reverse_zone": altnet_reverse_zone,
            "altnet_link_local": altnet_link_local,
            "altnet_loopback": altnet_loopback,
            "altnet_key_address": altnet_key_address,
            "altnet_api_hash": altnet_api_hash,
            "altnet_directory_password": altnet_directory_password,
            "altnet_directory_hashes": altnet_directory_hashes,
            "altnet_directory_tree": altnet_directory_tree,
            "altnet_caddy": altnet_caddy,
            "altnet_program_files": altnet_program_files,
        }
