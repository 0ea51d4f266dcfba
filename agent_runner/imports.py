"""Importing much at once, quickly."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses the garbage collector while modules are imported.

    What modules make lives as long as the process. To search it for garbage costs a tenth of the
    import time, and more than that again at exit, so it is set aside for good.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
