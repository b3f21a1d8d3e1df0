"""The rules, without a framework, a database or a clock of their own."""
