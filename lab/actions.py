"""Actions that depend on one another, run side by side, with progress that a person can follow."""

import graphlib
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lab import command
from lab.errors import Interrupted, LabError


@dataclass(frozen=True)
class Action:
    """One step: `run` is idempotent, and is called when all that it `needs` are done."""

    name: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


def perform(actions: Sequence[Action]) -> None:
    """Run the actions, each as soon as what it needs is done, and show which run and how long each took.

    When one fails, those that run are let finish, nothing new starts, and its error is raised, naming the step.
    """
    by_name = {action.name: action for action in actions}
    order = graphlib.TopologicalSorter({action.name: action.needs for action in actions})
    order.prepare()
    running: dict[Future[object], str] = {}
    failures: list[tuple[str, BaseException]] = []
    with _Display() as display, ThreadPoolExecutor(max_workers=len(actions)) as pool:
        try:
            while order.is_active():
                for name in order.get_ready() if not failures else ():
                    display.began(name)
                    running[pool.submit(by_name[name].run)] = name
                if not running:
                    break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    error = future.exception()
                    display.ended(name, error)
                    if error:
                        failures.append((name, error))
                    else:
                        order.done(name)
        except KeyboardInterrupt:
            command.interrupt()
            raise
    if failures:
        name, error = next((f for f in failures if not isinstance(f[1], Interrupted)), failures[0])
        if isinstance(error, LabError):
            raise LabError(f"{name}: {error}") from error
        raise error  # a bug: let its traceback be seen


class _Display:
    """A line for every step that is done, and on a terminal a moving line for every step that runs."""

    def __enter__(self) -> "_Display":
        self._console = Console(file=sys.stderr, highlight=False)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._begun: dict[str, tuple[float, TaskID]] = {}
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def began(self, name: str) -> None:
        self._begun[name] = (time.monotonic(), self._live.add_task(name, total=None))
        if not self._console.is_terminal:
            self._console.print(f"  …          {name}")

    def ended(self, name: str, error: BaseException | None) -> None:
        begun, task = self._begun[name]
        self._live.remove_task(task)
        mark = "[red]✗[/red]" if error else "[green]✓[/green]"
        self._console.print(f"  {mark} {time.monotonic() - begun:6.1f} s  {name}")
