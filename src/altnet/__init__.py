"""Altnet's pure logic: the plan, the ledger, secrets and the transaction, free of Ansible.

Everything here is reachable in two ways: control-node plugins import the installed package ``altnet``,
modules import ``ansible.module_utils.altnet`` (``module_utils = src`` in ansible.cfg). For the second way to
work, code that runs on hosts uses relative imports and the standard library only.
"""
