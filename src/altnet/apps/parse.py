"""From ``apps/*.toml`` to apps; everything that is wrong with the catalogue is found at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..errors import InventoryError, Problem
from ..inventory.reader import Reader
from ..naming.names import wrong_label
from .model import App, Beside, Port, Web

TEXTS = ("id", "title", "summary", "version", "licence", "role", "group", "set")
KEYS = (*TEXTS, "packages", "hosts", "needs", "names", "beside", "ports", "certificate", "site", "data", "backup")
SITE = ("to", "groups", "policy", "signs_on")
_NAME = re.compile(r"[a-z][a-z0-9_-]*"), "use small letters, digits, hyphens and underscores"
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+"), "name a Debian package"
_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,14}"), "name a registered service, such as xmpp-client"
#: Groups of the inventory that are no app's.
TAKEN = ("all", "ungrouped", "authoritative", "resolvers", "issuers", "directory", "content")


def catalogue(directory: Path) -> tuple[App, ...]:
    """Return all apps, by their ids. Raises InventoryError with every problem."""
    problems: list[Problem] = []
    found: dict[str, App] = {}
    owner: dict[str, str] = {}
    for path in sorted(directory.glob("*.toml")):
        app = entry(path, problems)
        if app is None:
            continue
        other = owner.setdefault(app.group, app.id)
        if other != app.id:
            what = f"is {app.group}, which is the group of {other} already"
            problems.append(Problem("", f"{path.name}: group", what, "give each app a group of its own"))
        found[app.id] = app
    if problems:
        raise InventoryError(sorted(set(problems)))
    return tuple(found.values())


def entry(path: Path, problems: list[Problem]) -> App | None:
    """Return one file's app; None, and what is wrong, where it is none."""
    before = len(problems)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(Problem("", path.name, f"cannot be read: {error}", "mend the file, or remove it"))
        return None
    reader = _Entry("", {}, problems, ())
    app = reader.app(path.name, values)
    if app.id and app.id != path.stem:
        reader.wrong(f"{path.name}: id", f"is {app.id!r}", f"make it {path.stem!r}, or rename the file")
    return app if len(problems) == before else None


class _Entry(Reader):
    """Reads one file; the paths of its problems begin with the file's name."""

    def app(self, file: str, values: Mapping[str, object]) -> App:
        known = self.mapping(values, file, KEYS)
        texts = {key: self.text(known.get(key), f"{file}: {key}", "") for key in TEXTS}
        for key in ("id", "role", "group", "set"):
            self.shaped(texts[key], f"{file}: {key}", _NAME)
        if texts["group"] in TAKEN:
            what = f"is {texts['group']}, which is a group of the network's own"
            self.wrong(f"{file}: group", what, "choose another group")
        # The id is a label of the app's name.
        wrong = wrong_label(texts["id"]) if texts["id"] else None
        if wrong:
            self.wrong(f"{file}: id", wrong[0], wrong[1])
        hosts = known.get("hosts", "one")
        if hosts not in {"one", "many"}:
            self.wrong(f"{file}: hosts", f"is {hosts!r}", 'say "one" or "many"')
        certificate = self.table(known, file, "certificate", ("name", "group"))
        data = self.table(known, file, "data", ("paths",))
        backup = self.table(known, file, "backup", ("before", "after"))
        return App(
            **texts,
            packages=self.matching(known, file, "packages", _PACKAGE),
            one_host=hosts == "one",
            needs=self.matching(known, file, "needs", _NAME),
            names=self.labels(known, file),
            beside=self.beside(known.get("beside", []), f"{file}: beside"),
            ports=self.ports(known.get("ports", []), f"{file}: ports"),
            certificate=self.part(certificate, f"{file}: certificate", "name"),
            key_group=self.part(certificate, f"{file}: certificate", "group"),
            web=self.web(known["site"], f"{file}: site") if "site" in known else None,
            paths=self.paths(data.get("paths", []), f"{file}: data.paths"),
            before=self.command(backup.get("before", []), f"{file}: backup.before"),
            after=self.command(backup.get("after", []), f"{file}: backup.after"),
        )

    def shaped(self, text: str, where: str, form: tuple[re.Pattern[str], str]) -> str:
        """Return a text of a form; an empty one has been complained of."""
        if text and not form[0].fullmatch(text):
            self.wrong(where, f"is {text!r}", form[1])
        return text

    def table(self, values: Mapping[str, object], file: str, key: str, known: Sequence[str]) -> dict[str, object]:
        return self.mapping(values.get(key, {}), f"{file}: {key}", known)

    def part(self, table: Mapping[str, object], where: str, key: str) -> str:
        """Return a text of a table which, where it is there, is whole."""
        if not table:
            return ""
        return self.shaped(self.text(table.get(key), f"{where}.{key}", ""), f"{where}.{key}", _NAME)

    def matching(
        self, values: Mapping[str, object], file: str, key: str, form: tuple[re.Pattern[str], str]
    ) -> tuple[str, ...]:
        return tuple(
            self.shaped(text, where, form) for where, text in self.texts(values.get(key, []), f"{file}: {key}")
        )

    def labels(self, values: Mapping[str, object], file: str) -> tuple[str, ...]:
        found = self.texts(values.get("names", []), f"{file}: names")
        for where, label in found:
            wrong = wrong_label(label)
            if wrong:
                self.wrong(where, wrong[0], wrong[1])
        return tuple(label for _, label in found)

    def ports(self, value: object, variable: str) -> tuple[Port, ...]:
        found: dict[tuple[int, str], Port] = {}
        for where, item in self.items(value, variable):
            known = self.mapping(item, where, ("port", "protocol", "purpose", "service"))
            number = self.whole(known.get("port"), f"{where}.port", 0, 1, 65_535)
            protocol = known.get("protocol", "tcp")
            if protocol not in {"tcp", "udp"}:
                self.wrong(f"{where}.protocol", f"is {protocol!r}", 'say "tcp" or "udp"')
            service = str(known.get("service", ""))
            port = Port(
                number, str(protocol), self.text(known.get("purpose"), f"{where}.purpose", ""),
                self.shaped(service, f"{where}.service", _SERVICE),
            )  # fmt: skip
            if (number, port.protocol) in found:
                self.wrong(f"{where}.port", f"{number} is there twice", "remove one of them")
            found[number, port.protocol] = port
        return tuple(found.values())

    def web(self, value: object, where: str) -> Web:
        known = self.mapping(value, where, SITE)
        to = self.text(known.get("to"), f"{where}.to", "")
        groups = tuple(text for _, text in self.texts(known.get("groups", []), f"{where}.groups"))
        return Web(to, groups, str(known.get("policy", "")), known.get("signs_on") is True)

    def beside(self, value: object, variable: str) -> tuple[Beside, ...]:
        found: dict[str, Beside] = {}
        for where, item in self.items(value, variable):
            known = self.mapping(item, where, ("name", *SITE))
            name = self.text(known.get("name"), f"{where}.name", "")
            wrong = wrong_label(name) if name else None
            if wrong:
                self.wrong(f"{where}.name", wrong[0], wrong[1])
            if name in found:
                self.wrong(f"{where}.name", f"{name} is there twice", "remove one of them")
            page = {key: known[key] for key in known if key != "name"}
            found[name] = Beside(name, self.web(page, where) if page else None)
        return tuple(found.values())

    def paths(self, value: object, variable: str) -> tuple[str, ...]:
        """Return directories that are the app's alone."""
        found = self.texts(value, variable)
        for where, text in found:
            path = PurePosixPath(text)
            if not path.is_absolute() or ".." in path.parts or len(path.parts) < 3:
                self.wrong(where, f"is {text!r}", "name a directory of the app's own, such as /var/lib/APP")
        return tuple(text for _, text in found)

    def command(self, value: object, variable: str) -> tuple[str, ...]:
        """Return a command as words; it is run without a shell."""
        words = []
        for where, word in self.items(value, variable):
            words.append(self.text(word, where, ""))
        if words and not words[0].startswith("/"):
            self.wrong(f"{variable}[0]", f"is {words[0]!r}", "write the program's whole path")
        return tuple(words)
