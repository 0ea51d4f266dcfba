"""The package index, for an install line of an official script that cannot do without."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.workspace.build.build_container import is_unreachable
from tools.workspace.build.package_index import certificates, variables
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.faults import FaultKind, InfraFault

# In memory, so that no difference of the container's disk shows it.
CERTIFICATES = "/dev/shm/agent_runner-ca.crt"
PUT = ("/bin/sh", "-c", f"cat > {CERTIFICATES}")
# Asked before anything of the patch is there, so that no patch can make the world look broken.
PROBE = (
    "/bin/bash", "-c",
    "source /opt/miniconda3/bin/activate && conda activate testbed; "
    "python -m pip download -q --no-cache-dir --no-deps -d /dev/shm/agent_runner-probe wheel; "
    "code=$?; rm -rf /dev/shm/agent_runner-probe; exit $code",
)  # fmt: skip


@dataclass(frozen=True)
class OpenNetwork:
    """How a container with the package index is made.

    Attributes:
        env: the host's index and proxies, as pip takes them.
        certificates: what the host trusts; empty for what the image does.
    """

    env: Mapping[str, str]
    certificates: bytes

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "OpenNetwork":
        """As the host's variables say."""
        env, trusted = variables(environ), certificates(environ)
        if trusted is None:
            return cls(env, b"")
        env |= dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), CERTIFICATES)
        return cls(env, trusted.read_bytes())

    def spec(self, closed: ContainerSpec) -> ContainerSpec:
        """The container of a closed one, with the network open."""
        return replace(closed, network="bridge")

    async def prepare(self, container: Container) -> None:
        """Hands over the certificates and makes sure that the index answers.

        Raises:
            InfraFault: `index_unreachable`.
        """
        if self.certificates:
            await container.run(Command(PUT, stdin=self.certificates))
        done = await container.run(Command(PROBE, env=self.env, timeout_s=60))
        text = done.output.decode(errors="replace").strip()
        if done.timed_out or (not done.ok and is_unreachable(text)):
            message = f"an install line needs the package index, which is silent: {text[-300:]}"
            raise InfraFault(FaultKind.INDEX_UNREACHABLE, message, retryable=True)
