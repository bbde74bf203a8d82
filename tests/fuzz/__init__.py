"""Damaged files by the thousand: ``python -m tests.fuzz`` runs gpool on them, and grades it."""
