"""Output of commands as tests make it."""

from hypothesis import strategies as st

from tools.outputs.store import Outputs
from tools.workspace.channels.channel import Source

Step = tuple[Source, bytes | int]
# Bytes of which most mean something to what reads them.
PIECES = st.sampled_from(
    [b"a", b"bc", b"\n", b"\n\n", b"\r", b"\r\n", b"\xff", "é".encode(), "😀".encode(), b"\x1b[31m",
     b"\x1b[K", b"\x9b", b"\xc2\x9b", b"\0", b" "]
)  # fmt: skip
CONTENT = st.lists(PIECES, max_size=60).map(b"".join)


def kept(outputs: Outputs, *steps: Step) -> str:
    with outputs.capture() as capture:
        for source, what in steps:
            if isinstance(what, bytes):
                capture.write(source, what)
            else:
                capture.skip(source, what)
    return capture.handle
