"""MANY maps: discover, plan, work, run."""
