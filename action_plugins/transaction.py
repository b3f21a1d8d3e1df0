# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller half of the transaction: render, one module call, confirm over a new connection."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from jinja2.runtime import Undefined

from altnet.controller import orders

# Plain text and always the same: a date or a path of the control node would make every run a change.
MANAGED = "Managed by Altnet with Ansible: changes made here are overwritten."
FILE_KEYS = frozenset({"path", "template", "content", "vars", "owner", "group", "mode", "sensitive"})
CONFIRM_ATTEMPTS = 3
CONFIRM_PAUSE = 2.0  # seconds


class FileError(Exception):
    """One file of the set cannot be rendered; the text says where and why."""


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible is not typed
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: object = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = dict(task_vars or {})
        args: dict[str, Any] = dict(self._task.args)
        try:
            args["files"], args["contents"] = self._rendered(args, task_vars)
        except FileError as error:
            return {**result, "failed": True, "phase": "render", "msg": str(error)}
        order = self._fingerprint(args, task_vars)
        known = orders.standing(self, task_vars, f"transaction {args.get('name')}", order)
        if known is not None:
            return {**result, **known}
        try:
            asked = {**args, "_order": order}
            answer: dict[str, Any] = self._execute_module("transaction", module_args=asked, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            if not args.get("confirm"):
                raise
            return {**result, "unreachable": True, "msg": f"{error}\n{_restores(args)}"}
        result.update(answer)
        token = result.pop("confirm_token", None)
        if token:
            result.update(self._confirmed(args, token, task_vars))
        orders.executed(self._task, task_vars, result)
        return result

    # -- the files

    def _rendered(
        self, args: Mapping[str, Any], task_vars: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Split the set into what the module compares and the contents, which travel hidden."""
        items = args.get("files") or []
        if not isinstance(items, list):
            raise FileError("files: not a list. Remedy: give a list of files.")
        files: list[dict[str, Any]] = []
        contents: dict[str, str] = {}
        for index, item in enumerate(items):
            where = f"files[{index}]"
            _check_keys(where, item)
            path = str(item.get("path") or "")
            if args.get("state") != "absent":
                text = self._text(where, item, task_vars)
                contents[path] = "base64:" + base64.b64encode(text.encode()).decode()
            plain = {"owner", "group", "mode", "sensitive"} & item.keys()
            files.append({"path": path, **{key: item[key] for key in plain}})
        return files, contents

    def _text(self, where: str, item: Mapping[str, Any], task_vars: dict[str, Any]) -> str:
        name, content = item.get("template"), item.get("content")
        if (name is None) == (content is None):
            raise FileError(f"{where}: give exactly one of template and content (for {item.get('path')}).")
        if name is not None:
            return self._template(where, str(name), {**task_vars, **(item.get("vars") or {})})
        if not isinstance(content, str):
            kind = type(content).__name__.removeprefix("_Ansible").removeprefix("Tagged").lower()
            raise FileError(f"{where}.content: not text but {kind}. Remedy: a filter, as in `| to_nice_json`.")
        return content

    def _template(self, where: str, name: str, variables: dict[str, Any]) -> str:
        try:
            source = self._find_needle("templates", name)
        except AnsibleError as error:
            found = str(error).partition(" on the Ansible Controller")[0]  # the rest is about modules
            raise FileError(f"{where}.template: {found}") from None
        search = [
            *variables.get("ansible_search_path", []),
            self._loader.get_basedir(),
            str(Path(source).parent),
        ]
        variables.setdefault("ansible_managed", MANAGED)
        templar = self._templar.copy_with_new_env(
            searchpath=[place for one in search for place in (str(Path(one, "templates")), one)],
            available_variables=variables,
        )
        template = trust_as_template(self._loader.get_text_file_contents(source))

        def render() -> str:
            options = {"trim_blocks": True}
            text = templar.template(template, escape_backslashes=False, overrides=options)
            return "" if text is None else str(text)

        try:
            return render()
        except AnsibleError as error:
            place = _place(error, render, source)
            raise FileError(f"{where}.template: {_relative(place)}: {error}") from None

    def _fingerprint(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> str | None:
        """Name the order, a set with sensitive contents by a key of the network's, so that no guess can be tried."""
        if "state_dir" in args:  # the probe looks in the usual directory only
            return None
        key = None
        if any(file.get("sensitive") for file in args["files"]):
            key = orders.secret_key(self._templar.template(task_vars.get("altnet_master_secret")))
            if key is None:
                return None
        health = args.get("health")
        if isinstance(health, Mapping):
            # What was healthy before is no part of what is wanted, and never the same twice.
            health = {name: value for name, value in health.items() if name != "before"}
        return orders.fingerprint("transaction", {**args, "health": health}, key)

    # -- the confirmation

    def _confirmed(self, args: Mapping[str, Any], token: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Stop the host's timer over a connection made for it: the one in use may outlive the new rules."""
        final = {"name": args["name"], "_confirm": token}
        if "state_dir" in args:
            final["state_dir"] = args["state_dir"]
        reason = ""
        for attempt in range(CONFIRM_ATTEMPTS):
            if attempt:
                time.sleep(CONFIRM_PAUSE)
            try:
                self._connection.reset()
                answer: dict[str, Any] = self._execute_module("transaction", module_args=final, task_vars=task_vars)
            except AnsibleConnectionFailure as error:
                reason = str(error)
                continue
            if not answer.get("unreachable"):
                kept = ("failed", "msg", "phase", "confirm_pending")
                return {key: answer[key] for key in kept if key in answer}
            reason = str(answer.get("msg", ""))
        return {
            "failed": True,
            "changed": False,
            "phase": "confirm",
            "msg": (
                f"transaction {args['name']}: after the change no new connection can be made.\n{reason}\n"
                f"{_restores(args)}"
            ),
        }


def _restores(args: Mapping[str, Any]) -> str:
    """Say what the host does when the connection is gone."""
    seconds = (args.get("confirm") or {}).get("timeout", 60)
    return (
        f"If the change was begun, the host restores its previous set by itself {seconds} s after that. "
        "Remedy: find out which rule keeps the control node out, mend it, then run again."
    )


def _check_keys(where: str, item: object) -> None:
    if not isinstance(item, Mapping):
        raise FileError(f"{where}: not a mapping. Remedy: give path and template or content.")
    strangers = sorted(set(item) - FILE_KEYS)
    if strangers:
        known = ", ".join(sorted(FILE_KEYS))
        raise FileError(f"{where}: unknown {', '.join(strangers)}. Remedy: use {known}.")
    if "mode" in item and not isinstance(item["mode"], str):
        raise FileError(f"{where}.mode: YAML read it as a number. Remedy: quote it, as in '0640'.")


def _relative(place: str) -> str:
    """Shorten a path of the project for the reader."""
    return place.removeprefix(f"{os.getcwd()}/")  # noqa: PTH109  # a string is wanted


def _place(error: BaseException, render: Callable[[], str], source: str) -> str:
    """Find ``path:line`` of a template error.

    Syntax errors know their line. For others a frame of the template is in the traceback of a cause. An
    undefined variable is reported when the template is over, with no frame left: the template is rendered
    once more and watched, and the last undefined value made is the one.
    """
    cause: BaseException | None = error
    while cause is not None:
        line = getattr(cause, "lineno", None)
        if line:
            return f"{getattr(cause, 'filename', None) or source}:{line}"
        found = _in_traceback(cause.__traceback__, source)
        if found:
            return found
        cause = cause.__cause__ or cause.__context__
    return _watched(render, source, str(error)) or source


def _in_traceback(trace: TracebackType | None, source: str) -> str | None:
    found = None
    while trace is not None:
        found = _in_frame(trace.tb_frame, trace.tb_lineno, source) or found
        trace = trace.tb_next
    return found


def _in_frame(frame: FrameType, line: int, source: str) -> str | None:
    template = frame.f_globals.get("__jinja_template__")
    if template is None:
        return None
    name = template.filename if template.filename and Path(template.filename).is_absolute() else source
    return f"{name}:{template.get_corresponding_lineno(line)}"


def _watched(render: Callable[[], str], source: str, message: str) -> str | None:
    made: list[tuple[Undefined, str]] = []
    code = Undefined.__init__.__code__

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or frame.f_code is not code:
            return
        caller = frame.f_back
        while caller is not None:
            place = _in_frame(caller, caller.f_lineno, source)
            if place:
                made.append((frame.f_locals["self"], place))
                return
            caller = caller.f_back

    sys.setprofile(watch)
    try:
        render()
    except AnsibleError:
        pass
    finally:
        sys.setprofile(None)
    named = [place for value, place in made if value._undefined_message in message]
    return named[-1] if named else None
