"""How fast gpool is, beside what people use today: ``python -m tests.benchmarks``."""
