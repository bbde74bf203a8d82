"""What holds for all tests."""

from hypothesis import settings

# A crowded machine is no failure, and a run that fails can be run again as it was.
settings.register_profile("gpool", deadline=None, derandomize=True)
settings.load_profile("gpool")
