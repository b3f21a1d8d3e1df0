"""A host on which operators log in: real sssd, sshd, sudo and PAM, in a file system that goes with the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from tests.daemons import free_port, until

ROLE = Path(__file__).parents[3] / "roles" / "logins"
NEEDED = ("/usr/sbin/sssd", "/usr/sbin/sshd", "/usr/sbin/visudo", "/usr/bin/ssh", "/usr/bin/unshare", "/usr/sbin/slapd")
EMERGENCY = "altnet-emergency"
#: Below a chroot there is no root to be made private; what holds the chroot has done that.
ROOT = any(line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines())
PRIVATE = ["unshare", "--mount", *([] if ROOT else ["--propagation", "unchanged"])]
#: What the host writes to, replaced by copies before anything is started; and what the unit does before sssd.
PREPARE = """
set -e
for place in /etc /var/lib/sss /var/log/sssd; do
  cp -a "$place" "$1$(echo "$place" | tr / _)"
  mount --bind "$1$(echo "$place" | tr / _)" "$place"
done
for place in /run /home; do mount -t tmpfs none "$place"; done
mkdir -p /run/sshd
cp -a "$1/new/." /
chown -R root:root /etc/sssd /etc/sudoers.d /etc/ssh /etc/altnet
chmod 0640 /etc/sssd/sssd.conf
chmod 0440 /etc/sudoers.d/altnet-logins
sed -i '/^Include/!d' /etc/ssh/sshd_config
printf 'UsePAM yes\\nKbdInteractiveAuthentication no\\n' >>/etc/ssh/sshd_config
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -A
systemd-sysusers /etc/sysusers.d/altnet-logins.conf
install -d -m 0700 -o altnet-emergency -g altnet-emergency /home/emergency
usermod -d /home/emergency altnet-emergency
pam-auth-update --package --enable mkhomedir
touch /run/ready
exec sleep infinity
"""


def missing() -> list[str]:
    """Return what is not installed here."""
    found = [name for name in NEEDED if not Path(name).exists()]
    return found if os.geteuid() == 0 else [*found, "root's rights"]


def templar(**given: Any) -> Templar:
    """Return what resolves the role's variables."""
    init_plugin_loader()
    variables: dict[str, Any] = {"ansible_managed": "Managed", "role_path": str(ROLE)}
    for folder in ("defaults", "vars"):
        loaded = yaml.safe_load((ROLE / folder / "main.yml").read_text())
        variables |= {name: trusted(value) for name, value in loaded.items()}
    return Templar(DataLoader(), variables={**variables, **given})


def trusted(value: Any) -> Any:
    """Let Ansible resolve the templates in a value, as it does where it reads the file itself."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def value(name: str, **given: Any) -> Any:
    """Return one of the role's variables."""
    return templar(**given).template(trust_as_template("{{ " + name + " }}"))


def files(**given: Any) -> dict[str, str]:
    """Return the contents of the role's files, by path."""
    one = templar(**given)
    found = {}
    for file in one.template(trust_as_template("{{ __logins_files }}")):
        text = str(file.get("content", ""))
        if "template" in file:
            source = trust_as_template((ROLE / "templates" / file["template"]).read_text())
            text = str(one.template(source, escape_backslashes=False, overrides={"trim_blocks": True}))
        found[str(file["path"])] = text
    return found


class Host:
    """The host; its processes are ended by their own ids."""

    def __init__(self, place: Path, **given: Any) -> None:
        self.place, self.port = place, free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("ada", "emergency", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True)
        for path, text in files(**given, logins_emergency_keys=[self.public("emergency")]).items():
            file = place / "new" / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def public(self, name: str) -> str:
        """Return a public key."""
        return (self.place / f"{name}.pub").read_text().strip()

    def start(self) -> None:
        """Make the file system, then run sssd and sshd on it."""
        with (self.place / "holder.log").open("wb") as log:
            argv = [*PRIVATE, "sh", "-c", PREPARE, "sh", str(self.place)]
            self.processes["holder"] = subprocess.Popen(argv, stdout=log, stderr=log)
        told = self.place / "holder.log"
        until(lambda: self.run("test -e /run/ready").returncode == 0, 30, told.read_text)
        self.run_daemon("sssd", "/usr/sbin/sssd", "-i", "--logger=files")
        # Many logins fail here on purpose, all of them from one address.
        options = ("ListenAddress=127.0.0.1", "PerSourcePenalties=no")
        words = [word for one in options for word in ("-o", one)]
        self.run_daemon("sshd", "/usr/sbin/sshd", "-D", "-e", "-p", str(self.port), *words)

    def run_daemon(self, name: str, *argv: str) -> None:
        """Run a daemon on the host."""
        with (self.place / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen([*self.enter(), *argv], stdout=log, stderr=log)

    def stop(self, *names: str) -> None:
        """End some processes, or all."""
        for name in names or [*reversed(self.processes)]:
            process = self.processes.pop(name)
            process.terminate()
            process.wait(20)

    def enter(self) -> list[str]:
        """Return what runs a command on the host."""
        return ["nsenter", "--mount", "--root", "--target", str(self.processes["holder"].pid)]

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as root on the host."""
        argv = [*self.enter(), "sh", "-c", command]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)

    def ssh(self, user: str, key: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Log in as somebody with a key, and run a command."""
        quiet = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes",
                 "IdentitiesOnly=yes", "IdentityAgent=none")  # fmt: skip
        options = [word for one in quiet for word in ("-o", one)]
        argv = ["ssh", *options, "-F", "none", "-i", str(self.place / key), "-p", str(self.port), f"{user}@127.0.0.1"]
        return subprocess.run([*argv, command], input=stdin, capture_output=True, text=True, check=False, timeout=60)
