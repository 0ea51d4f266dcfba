"""From a plan to the complete list of exact versions, as of its date."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.package_index import refreshed
from tools.workspace.channels.channel import Execution
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.packages.as_of import AsOf
from tools.workspace.packages.environment import OVERRIDES_AS_OF, EnvironmentPlan
from tools.workspace.packages.legacy_metadata import stated_for_uv
from tools.workspace.packages.pins import parse_pins, pinned_names, written
from tools.workspace.packages.requirement_lists import Wanted, read_lists
from tools.workspace.packages.resolution import Resolution
from tools.workspace.packages.uv_inputs import (
    INPUTS,
    PKG_INFO,
    PYTHON,
    TREE,
    Attempt,
    attempts,
    compile_argv,
    dates,
    files_for,
    metadata_argv,
    packed,
)  # fmt: skip
from tools.workspace.packages.uv_says import (
    UNSATISFIABLE,
    inconsistent,
    named,
    needed_by,
    not_built,
    reason,
    too_old,
    unreadable,
    uploaded_anew,
)


@dataclass
class Resolver:
    """Resolves in a container that holds the build tools; what it installs there is build tools.

    Attributes:
        as_of: what is taken as of when.
        wanted: what the plan's lists ask for.
        left_out: distributions that nothing may bring in, each with its reason.
        anew: what was deleted and uploaded again: its release of that day counts, whatever the
            plan's date.
        loosened: least versions, by name, in the place of whatever is asked for.
        needed: those of them that the plan's overrides need, which may be as new as these.
        told: releases, by name, whose requirements uv was told, since it cannot read them.
    """

    made: BuildContainer
    plan: EnvironmentPlan
    as_of: AsOf
    wanted: Wanted
    left_out: dict[str, str] = field(default_factory=dict)
    anew: dict[str, str] = field(default_factory=dict)
    loosened: dict[str, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    _required: frozenset[str] | None = None

    @classmethod
    async def open(
        cls, made: BuildContainer, plan: EnvironmentPlan, tree: Callable[[], Awaitable[bytes]]
    ) -> "Resolver":
        """Brings what uv reads into the container.

        Args:
            tree: gives the project's files as a tar archive, where its metadata have to be built:
                packaging files may read others of them.
        """
        wanted = read_lists(plan.requirement_files, plan.files, plan.project)
        if _is_built(plan):
            await made.unpack(TREE, packed(PKG_INFO))
            await made.unpack(TREE, await tree())
        await made.unpack(INPUTS, packed(files_for(plan, wanted, ())))
        if plan.build_requires:
            backend = ("--overrides", f"{INPUTS}/instead.txt", *plan.build_requires)
            install = ("uv", "pip", "install", "-q", "--no-config", "--python", PYTHON)
            await made.attempt(*install, *dates(plan.at(plan.dates[0])), *backend)
        return cls(made, plan, AsOf.of(plan.dates, _pinned(plan, wanted)), wanted)

    async def resolve(self) -> Resolution:
        """Everything the environment holds.

        Raises:
            InfraFault: `index_unreachable`; `image_unavailable` with uv's words: nothing fits.
        """
        said = ""
        for attempt in attempts(self.plan, self.wanted):
            # Isolation changes nothing where the versions themselves do not go together, but some
            # only do not because what tells a version in a build was not there.
            if attempt.isolated and UNSATISFIABLE in said and not inconsistent(said):
                continue
            done = await self._tried(attempt)
            if done.ok:
                given_up = attempt.given_up
                notes = [f"resolved without {given_up}: {reason(said)}"] if given_up else []
                return Resolution(
                    pins=written(parse_pins(done.stdout.decode())),
                    debian=self.plan.debian,
                    as_of=self.as_of.newest,
                    skipped=(*self.wanted.skipped, *self._notes(), *notes),
                )
            said = _text(done)
        message = (
            f"the dependencies as of {self.as_of.last[:10]} cannot be resolved: {reason(said)}"
        )
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)

    def _notes(self) -> list[str]:
        notes = [f"{name}: left out: {why}" for name, why in self.left_out.items()]
        notes += [
            f"{name}>={v} whatever is pinned: nothing else fits"
            for name, v in self.loosened.items()
        ]
        return notes + [f"{name}: all its releases are of {day}" for name, day in self.anew.items()]

    async def _tried(self, attempt: Attempt) -> Execution:
        """Runs uv again while there is something to leave out, or to take whatever its date."""
        while True:
            argv = compile_argv(self.plan.at(self.as_of.date), self.wanted, attempt)
            done = await self._run(argv)
            if done.ok or not await self._can_do_with_less(_text(done), attempt):
                return done

    async def _run(self, argv: list[str]) -> Execution:
        forced = dict.fromkeys(self.needed, max(self.as_of.date, OVERRIDES_AS_OF))
        for name, day in (self.as_of.newer | forced | self.anew).items():
            argv += ["--exclude-newer-package", f"{name}={day}"]
        argv += refreshed(self.as_of.newest)
        cwd = TREE if _is_built(self.plan) or self.plan.groups else INPUTS
        return await self.made.attempt(*argv, cwd=cwd)

    async def _can_do_with_less(self, said: str, attempt: Attempt) -> bool:
        anew = {name: day for name, day in uploaded_anew(said).items() if name not in self.anew}
        # What takes the place of a pinned version needs more than was pinned beside it.
        forced = frozenset(_names(self.plan.overrides) | set(self.loosened))
        needed = needed_by(said, forced)
        older = inconsistent(said) | needed
        loose = {name: version for name, version in older.items() if name not in self.loosened}
        self.needed |= set(needed) & set(loose)
        if anew or loose:
            self.anew |= anew
            self.loosened |= loose
            self.as_of.pinned -= set(loose)
            await self._rewrite()
            return True
        if self.as_of.move(sorted(too_old(said))):
            return True
        if await self._tell(unreadable(said)):
            return True
        if attempt.optional and await self._drop(named(said, self.optional()), said):
            return True
        useless = {*not_built(said), *inconsistent(said)}
        return attempt.isolated and await self.leave_out(useless, said)

    async def _tell(self, releases: dict[str, str]) -> bool:
        """Tells uv what releases require whose metadata it cannot read; whether there was any."""
        new = {name: v for name, v in releases.items() if self.told.get(name) != v}
        tables = [await stated_for_uv(self.made, name, version) for name, version in new.items()]
        self.told |= new
        if any(tables):
            await self.made.add_uv_settings("".join(tables))
        return any(tables)

    def optional(self) -> frozenset[str]:
        """Names that may be left out one by one."""
        return frozenset(_names((*self.plan.optional, *self.wanted.optional)))

    def asked(self) -> frozenset[str]:
        """Names that the plan and its lists ask for themselves; others come with these."""
        stated = [line for lines in (self.plan.stated or {}).values() for line in lines]
        return self.optional() | _names((*self.plan.requirements, *self.wanted.lines, *stated))

    async def leave_out(self, names: Iterable[str], said: str) -> bool:
        """Leaves out what cannot be built, unless the project's own metadata require it.

        Returns:
            Whether there is less to resolve now.
        """
        wanted = {canonicalize_name(name) for name in names}
        if not wanted:
            return False
        if self._required is None:
            self._required = await self._what_metadata_require()
        return await self._drop(wanted - self._required, said)

    async def _drop(self, names: Iterable[str], said: str) -> bool:
        new = [name for name in sorted(names) if name not in self.left_out]
        self.left_out |= dict.fromkeys(new, reason(said))
        if new:
            await self._rewrite()
        return bool(new)

    async def _rewrite(self) -> None:
        """Brings what is known now to where uv reads it."""
        loosened = (f"{name}>={version}" for name, version in self.loosened.items())
        files = files_for(self.plan, self.wanted, self.left_out, loosened)
        await self.made.unpack(INPUTS, packed(files))

    async def _what_metadata_require(self) -> frozenset[str]:
        """Names; where metadata cannot be asked, all that is not optional."""
        always = {"pytest", *_names(self.plan.build_requires)}
        if self.plan.metadata_file:
            done = await self._run(metadata_argv(self.plan.at(self.as_of.date)))
            if done.ok:
                return frozenset({*always, *parse_pins(done.stdout.decode())})
        everything = _names((*self.plan.requirements, *self.wanted.lines))
        return frozenset({*always, *everything} - self.optional())


def _is_built(plan: EnvironmentPlan) -> bool:
    """Whether the project's metadata have to be built to be known."""
    return bool(plan.metadata_file) and plan.stated is None


def _pinned(plan: EnvironmentPlan, wanted: Wanted) -> frozenset[str]:
    always = (*plan.requirements, *wanted.lines, *(plan.stated or {}).get("", ()))
    return pinned_names(always) - _names(plan.overrides)


def _names(lines: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for line in lines:
        try:
            found.add(canonicalize_name(Requirement(line).name))
        except InvalidRequirement:
            continue
    return found


def _text(done: Execution) -> str:
    return done.output.decode(errors="replace")
