"""What the README says is there: commands, options, blocks, settings, files."""

import re
from pathlib import Path

import pytest
import typer.main

from newsletter.cli import app
from newsletter.config import load_settings
from newsletter.issue.blocks import DIRECTIVES
from newsletter.issue.importing.repairs import MENDINGS
from newsletter.providers import PROVIDERS, provider_type

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_is_in_the_readme_and_every_named_one_is_there():
    group = typer.main.get_command(app)
    named = set(re.findall(r"^\| `newsletter (\w+)", README, re.MULTILINE))
    assert named == set(group.commands)


def test_every_option_that_the_command_table_names_is_there():
    group = typer.main.get_command(app)
    for row in re.findall(r"^\| `newsletter (\w+)[^|]*\|.*$", README, re.MULTILINE):
        line = next(line for line in README.splitlines() if line.startswith(f"| `newsletter {row}"))
        options = {option for parameter in group.commands[row].params for option in parameter.opts}
        assert set(re.findall(r"`(--[\w-]+)", line)) <= options


def test_every_block_is_in_the_readme():
    assert set(re.findall(r"^\| `:::(\w+)", README, re.MULTILINE)) == set(DIRECTIVES)


def test_every_repair_of_an_import_is_in_the_readme_with_its_explanation():
    _, section = README.split("### What `add` repairs\n")
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", section.split("\n## ")[0], re.MULTILINE)
    assert rows == [(mending.name, mending.explanation) for mending in MENDINGS]


def test_the_settings_in_the_readme_are_valid(tmp_path):
    block = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "newsletter.toml"
    path.write_text(block[1])
    settings = load_settings(path)
    provider = provider_type(settings.send.provider)
    secrets = dict.fromkeys(provider.secrets, "from the environment")
    provider.Options.model_validate(settings.providers[settings.send.provider] | secrets)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_says_what_it_is(name):
    assert name in README
    assert provider_type(name).__doc__


def test_every_file_that_the_readme_names_is_there():
    for name in re.findall(r"`((?:newsletter|templates|tests)/[\w./]+\.(?:py|png))`|\]\((tests/[\w./]+)\)", README):
        path = name[0] or name[1]
        assert "NAME" in path or (ROOT / path).exists(), path
