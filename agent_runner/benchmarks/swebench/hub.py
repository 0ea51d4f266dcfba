"""Data sets of Hugging Face, through `datasets`; without network, from its cache, or not at all."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from agent_runner.benchmarks.swebench.table import Columns, Table
from agent_runner.errors import FaultKind, InfraFault, UsageError

if TYPE_CHECKING:
    import datasets  # type: ignore[import-untyped]

# Reaching the hub is one short request; name resolution has a time limit of its own, so that both
# together are watched from outside.
REQUEST_S = 5.0
ANSWER_S = 8.0
STALLED_S = "10"


@dataclass(frozen=True)
class HubRows:
    """A split in the cache of `datasets`."""

    name: str
    found: "datasets.Dataset"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """One column, read alone."""
        if "instance_id" not in self.found.column_names:
            raise UsageError(f"{self.name} lacks instance_id; it has {self.found.column_names}")
        return tuple(str(each or "") for each in self.found["instance_id"])

    def where(self, position: int) -> str:
        """Name and number."""
        return f"{self.name}, row {position + 1}"

    def rows(self, positions: Sequence[int]) -> list[Columns]:
        """Reads them from the cache."""
        return [self.found[each] for each in positions]


def load(name: str, split: str) -> Table:
    """A split of a set, downloaded where it is not in the cache yet.

    Raises:
        UsageError: the hub answers, and has no such set or split.
        InfraFault: `index_unreachable`: the hub does not answer and nothing is in the cache.
    """
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", STALLED_S)
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", STALLED_S)
    why = _unreachable(name)
    if why:
        _go_offline()
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        return HubRows(name, datasets.load_dataset(name, split=split))
    except (OSError, ValueError) as error:
        if not why and isinstance(error, ValueError | FileNotFoundError):
            raise UsageError(f"{name}, split {split}: {' '.join(str(error).split())}") from error
        raise _fault(name, split, why or f"{type(error).__name__}: {error}") from error


def _unreachable(name: str) -> str:
    """Why the hub cannot be asked for a set; "" where it answers.

    Raises:
        UsageError: it answers that there is no such set.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

    outcome: list[BaseException | None] = []

    def ask() -> None:
        try:
            HfApi().dataset_info(name, timeout=REQUEST_S)
            outcome.append(None)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            outcome.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_S)
    error = outcome[0] if outcome else TimeoutError(f"no answer within {ANSWER_S:g} s")
    if isinstance(error, RepositoryNotFoundError):
        raise UsageError(f"{constants.ENDPOINT} has no data set {name} (or it is private)")
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if error is None or isinstance(error, HfHubHTTPError):
        return ""  # it answers; what it says of the files comes with them
    return f"{constants.ENDPOINT}: {type(error).__name__}: {error}"


def _go_offline() -> None:
    """From here on only the cache is looked at; otherwise every file is tried for minutes."""
    from huggingface_hub import constants

    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
    constants.HF_HUB_OFFLINE = True


def _fault(name: str, split: str, why: str) -> InfraFault:
    cache = os.environ.get("HF_HOME", "~/.cache/huggingface")
    message = (
        f"cannot load the data set {name}: tried {' '.join(why.split())[:300]}; and the cache "
        f"{cache}, which does not have it. Where there is network, download the split's Parquet "
        f"file (https://huggingface.co/datasets/{name}/tree/main/data) and name it: "
        f"--dataset {split}.parquet"
    )
    return InfraFault(FaultKind.INDEX_UNREACHABLE, message, retryable=True)
