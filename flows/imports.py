"""The garbage collector and the two thousand modules of a run, which live as long as it does.

Imports leave no garbage, yet Python looks for some every few hundred objects, and at the end walks all modules once
more: together nearly a second, as long as all stages of a small month.
"""

import atexit
import gc


def begin_imports() -> None:
    """Look for no garbage while modules are imported."""
    gc.disable()
    atexit.register(gc.freeze)


def end_imports() -> None:
    """Look for garbage from now on, but not among what is imported; right also without a beginning."""
    gc.freeze()
    gc.enable()
    atexit.register(gc.freeze)
