"""Pictures on the web that an imported article shows: brought along when asked for, left where they are otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import ContentError
from newsletter.issue.importing.article import Imported
from newsletter.issue.importing.remote import with_pictures

PNG, GIF = b"\x89PNG\r\n\x1a\nand more", b"GIF89a and more"
WEB = "https://pictures.example.org"
ARTICLE = f"""---
title: A
image: {WEB}/lead.png
alt: The lead
---

In a line ![a]({WEB}/a.png "a title") and [a link]({WEB}/a.png), [![b](<{WEB}/b%20c.gif>)]({WEB}/b%20c.gif).

![{WEB}/a.png]({WEB}/a.png)

:::figure src={WEB}/lead.png dark="{WEB}/other/a.png" alt="Not {WEB}/a.png"
See {WEB}/a.png
:::

`![no]({WEB}/no.png)` and ![gone]({WEB}/gone.png) and ![page]({WEB}/page.png) and ![own](images/own.png)
"""
THERE = {"lead.png": PNG, "a.png": PNG + b"a", "b%20c.gif": GIF, "other/a.png": PNG + b"other", "page.png": b"<html>"}


def get(url: str) -> bytes:
    try:
        return THERE[url.removeprefix(f"{WEB}/")]
    except KeyError:
        raise ContentError(f"{url} answers 404, not 200") from None


def test_each_picture_comes_once_and_links_and_words_stay():
    article, said = with_pictures(Imported("a", ARTICLE, pictures={"own.png": PNG + b"own"}), get)
    assert article.pictures == {
        "own.png": PNG + b"own",
        "lead.png": PNG,
        "a.png": PNG + b"a",
        "b-c.gif": GIF,
        "a-2.png": PNG + b"other",
    }
    assert article.markdown == (
        ARTICLE.replace(f"image: {WEB}/lead.png", "image: images/lead.png")
        .replace(f"![a]({WEB}/a.png", "![a](images/a.png")
        .replace(f"(<{WEB}/b%20c.gif>)", "(<images/b-c.gif>)")
        .replace(f"![{WEB}/a.png]({WEB}/a.png)", f"![{WEB}/a.png](images/a.png)")
        .replace(f"src={WEB}/lead.png", "src=images/lead.png")
        .replace(f"{WEB}/other/a.png", "images/a-2.png")
    )
    assert [(each.name, each.line) for each in said] == [
        ("fetched", 3),
        ("fetched", 7),
        ("fetched", 7),
        ("fetched", 11),
        ("not-fetched", 15),
        ("not-fetched", 15),
    ]
    assert said[-2].said == f"{WEB}/gone.png answers 404, not 200"
    assert said[-1].said == f"{WEB}/page.png is not a picture that is known here"


def test_an_article_without_any_stays_as_it_is():
    article = Imported("a", "---\ntitle: A\n---\n\n![own](images/own.png)\n")
    assert with_pictures(article, get) == (article, ())


@pytest.mark.parametrize("asked", [True, False])
def test_the_command_fetches_only_when_told_and_never_from_this_machine(tmp_path: Path, asked: bool):
    def newsletter(*arguments: str) -> str:
        command = [sys.executable, "-m", "newsletter", *arguments]
        environment = os.environ | {"NEWSLETTER_DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    newsletter("init", ".")
    (tmp_path / "mine.md").write_text("# Mine\n\n![secret](https://127.0.0.1:1/secret.png)\n")
    said = newsletter("add", "1", "mine.md", *(["--fetch-pictures"] if asked else []))
    refused = "not-fetched: https://127.0.0.1:1/secret.png is on a private network, or on this machine"
    assert (refused in said) is asked
    (written,) = (tmp_path / "issues").glob("*/*-mine.md")
    assert "(https://127.0.0.1:1/secret.png)" in written.read_text()
