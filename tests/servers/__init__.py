"""Servers on loopback that tests read from and write to, with the faults that they order."""
