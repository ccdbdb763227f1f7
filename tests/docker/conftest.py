"""One deployment for all tests of a run: making it takes most of the time."""

from deployed import background, deployed

__all__ = ["background", "deployed"]
