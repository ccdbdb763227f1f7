"""One deployment for all tests of a run: making it takes most of the time."""

from base_image import base_image
from deployed import background, deployed
from sent_messages import messages

__all__ = ["background", "base_image", "deployed", "messages"]
