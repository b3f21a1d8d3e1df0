"""The machines of the kernel lab: user-mode Linux processes on wires of their own."""
