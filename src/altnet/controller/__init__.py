"""What the controller-side plugins share: Ansible's view of the inventory, turned into plain data.

This package alone in src/altnet imports Ansible; it runs on the control node only.
"""
