"""Where things lie: the workspace's root, its issues and theme, the shipped samples, the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.config import FILE_NAME, Settings, load_settings
from newsletter.errors import ConfigError, ContentError, Place, did_you_mean


def shipped_root() -> Path:
    """The folder that holds templates/, issues/ and newsletter.toml as shipped.

    In a wheel they lie inside the package; in a checkout, or installed from one as editable, beside it.
    """
    package = Path(__file__).parent
    inside = package / "_shipped"
    return inside if inside.is_dir() else package.parent


def theme_root() -> Path:
    """The default theme."""
    return shipped_root() / "templates"


def cache_folder(settings: Settings) -> Path:
    """The folder for what can be made again from the workspace of `settings`; made on first use. Raises ConfigError."""
    folder = settings.cache_dir or _user_cache_folder() / settings.publication.id
    return _made("cache", folder, "NEWSLETTER_CACHE_DIR")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A newsletter's folder: newsletter.toml, issues/, and templates/ where the theme is changed."""

    root: Path
    settings: Settings

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The workspace that holds `start` (the current folder): the nearest folder upwards with a newsletter.toml."""
        begin = (start or Path.cwd()).resolve()
        for folder in (begin, *begin.parents):
            if (folder / FILE_NAME).is_file():
                return cls.open(folder)
        raise ConfigError(
            f"there is no {FILE_NAME} in {begin} or above it",
            hint="`newsletter init` makes a new newsletter; `newsletter demo` shows one without",
        )

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace at `root`; raises ConfigError."""
        return cls(root.resolve(), load_settings(root / FILE_NAME))

    @property
    def issues(self) -> Path:
        return self.root / "issues"

    @property
    def build(self) -> Path:
        """The only folder in the work tree that commands write to without being told its name."""
        return self.root / "build"

    @property
    def theme_folders(self) -> tuple[Path, ...]:
        """Where theme files are looked for, the first one wins: the workspace's own, then the default theme."""
        own = self.root / "templates"
        return (own, theme_root()) if own.is_dir() and own != theme_root() else (theme_root(),)

    @property
    def data(self) -> Path:
        """The folder outside the work tree for the database, keys, journals and the outbox; made on first use."""
        folder = self.settings.data_dir or _user_data_folder() / self.settings.publication.id
        return _made("data", folder, "NEWSLETTER_DATA_DIR")

    @property
    def cache(self) -> Path:
        """The folder outside the work tree for what can be made again; made on first use."""
        return cache_folder(self.settings)

    def issue_folders(self) -> list[Path]:
        """Every issue's folder, in the order of their names."""
        if not self.issues.is_dir():
            return []
        return sorted(folder for folder in self.issues.iterdir() if (folder / "issue.md").exists())

    def inside(self, path: Path, where: Place, said: str | None = None) -> Path:
        """`path`, resolved, if it lies in the workspace; raises ContentError when it leaves it, by symlink too.

        `said` is what the writer wrote for it.
        """
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError) as error:  # symlinks in a circle, a name that is too long
            raise ContentError(f"{said or path.name} cannot be read", hint="is it a symlink?", where=where) from error
        if not resolved.is_relative_to(self.root):
            raise ContentError(
                f"{said or path.name} leaves the workspace",
                hint="put the file into the issue's own folder",
                where=where,
            )
        return resolved

    def commit(self) -> str | None:
        """The git commit that is checked out, with "+changes" where issues differ from it; None outside git."""
        head = _git(self.root, "rev-parse", "HEAD")
        if head is None:
            return None
        changed = _git(self.root, "status", "--porcelain", "--", "issues", "templates", FILE_NAME)
        return f"{head}+changes" if changed else head

    def nearest_issue(self, name: str) -> str:
        """A hint for an issue that was not found."""
        names = [folder.name for folder in self.issue_folders()]
        return did_you_mean(name, names)


def _git(root: Path, *arguments: str) -> str | None:
    import subprocess

    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _made(what: str, folder: Path, variable: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"the {what} folder {folder} cannot be made: {error.strerror}", hint=f"{variable} names another place"
        ) from error
    return folder


def _user_data_folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("newsletter")


def _user_cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("newsletter")
