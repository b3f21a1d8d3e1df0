"""The authority's playbooks: what they write, what they say, and that no key is in what they print."""

from __future__ import annotations

from controller_world import ROOT, World

from altnet.pki import pem

PLAYBOOKS = ROOT / "playbooks"


def roots(world: World) -> list[str]:
    found = pem.certificates((world.inventory / "pki/root.pem").read_text(), "")
    return [pem.fingerprint(root) for root in found]


def files(world: World) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (world.inventory / "pki").rglob("*") if path.is_file()}


def test_make_rotate_and_replace(world: World) -> None:
    output = []

    run = world.play(PLAYBOOKS / "make-root.yml", "--check", "--diff")
    assert run.code == 0, run.text
    assert not (world.inventory / "pki").exists()

    run = world.play(PLAYBOOKS / "make-root.yml", "-vvv", "--diff")
    assert run.code == 0, run.text
    (first,) = roots(world)
    assert first in run.text
    output.append(run.text)
    before = files(world)
    run = world.play(PLAYBOOKS / "make-root.yml")
    assert "changed=0" in run.out
    assert files(world) == before

    run = world.play(PLAYBOOKS / "rotate-intermediate.yml")
    assert "pki_intermediate: is not given. Remedy: -e pki_intermediate=infra, or =issuers/HOST." in run.text
    run = world.play(PLAYBOOKS / "rotate-intermediate.yml", "-e", "pki_intermediate=infra", "-vvv", "--diff")
    assert run.code == 0, run.text
    output.append(run.text)
    assert files(world)["infra.pem"] != before["infra.pem"]
    assert files(world)["root.pem"] == before["root.pem"]

    run = world.play(PLAYBOOKS / "replace-root.yml", "-e", "root_step=switch")
    assert run.code == 2
    assert (
        "the network: root_step: asks for switch, and publish is due. Remedy: take publish first: -e root_step=publish"
        in (run.text)
    )
    run = world.play(PLAYBOOKS / "replace-root.yml")
    assert "The step that is due: -e root_step=publish" in run.text
    assert roots(world) == [first]
    for step, count in (("publish", 2), ("switch", 2), ("retire", 1)):
        run = world.play(PLAYBOOKS / "replace-root.yml", "-e", f"root_step={step}", "-vvv", "--diff")
        assert run.code == 0, run.text
        assert len(roots(world)) == count
        output.append(run.text)
    assert first not in roots(world)
    for text in output:
        assert "PRIVATE KEY" not in text
        assert "$ANSIBLE_VAULT" not in text


def test_without_the_root_s_key(world: World) -> None:
    assert world.play(PLAYBOOKS / "make-root.yml").code == 0
    (world.inventory / "pki/root.key.yml").unlink()
    before = files(world)
    run = world.play(PLAYBOOKS / "rotate-intermediate.yml", "-e", "pki_intermediate=infra")
    assert run.code == 2
    assert (
        "the network: pki/root.key.yml: is not there, and an intermediate can only be signed with it. Remedy: "
        in run.text
    )
    assert files(world) == before
