"""When a file of the workspace changes, and how open pages hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
from watchfiles import Change, awatch

from newsletter.config import FILE_NAME

_PATIENCE = 200
"""For how many milliseconds a watch cannot be ended, since it waits in a thread."""


class Feed:
    """Server-sent events: the present generation, then each new one, until the server ends."""

    def __init__(self, generation: Callable[[], int]) -> None:
        self._generation = generation
        self._news = asyncio.Event()
        self._open = True

    def announce(self) -> None:
        """Tell every open page that there is a new generation."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    def close(self) -> None:
        """End every stream."""
        self._open = False
        self.announce()

    async def stream(self) -> AsyncIterator[str]:
        """What one page is told."""
        while self._open:
            news = self._news
            yield f"data: {self._generation()}\n\n"
            await news.wait()


async def watch(root: Path, theme: tuple[Path, ...], changed: Callable[[], None]) -> None:
    """Call `changed` after each set of changes in newsletter.toml, issues/ or the theme; never ends by itself."""
    top = {FILE_NAME, "issues", "templates"}

    def at_the_top(_change: Change, path: str) -> bool:
        return Path(path).name in top

    async def below(folders: set[Path]) -> None:
        async for _ in awatch(*folders, rust_timeout=_PATIENCE):
            changed()

    folders: set[Path] = set()
    while True:
        before, folders = folders, _folders(root, theme)
        async with anyio.create_task_group() as group:
            if folders:
                group.start_soon(below, folders)
            if before:
                await anyio.sleep(0.1)  # until the new watch is on: what changed meanwhile is told of now
                changed()
            async for _ in awatch(root, recursive=False, watch_filter=at_the_top, rust_timeout=_PATIENCE):
                if _folders(root, theme) != folders:  # a folder has come or gone
                    break
                changed()
            group.cancel_scope.cancel()


def _folders(root: Path, theme: tuple[Path, ...]) -> set[Path]:
    return {folder for folder in (root / "issues", root / "templates", *theme) if folder.is_dir()}
