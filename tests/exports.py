"""Exports of other services, as their documentation describes them, written by hand and packed here."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
PICTURE = (DATA / "saved" / "Forty stalls_files" / "park.png").read_bytes()
SITE = "__GHOST_URL__"

GHOST_HTML = (DATA / "ghost.html").read_text("utf-8")


def ghost_tables(*posts: dict[str, Any]) -> dict[str, Any]:
    """The tables of Ghost's export with `posts` in them, by default one of each state."""
    text = "<p>A few words.</p>"
    one = {"type": "post", "visibility": "public", "html": text, "custom_excerpt": None, "feature_image": None}
    three: list[dict[str, Any]] = [
        {
            **one,
            "id": "p1",
            "title": "Forty stalls: {{ not one }} free",
            "slug": "forty-stalls",
            "html": GHOST_HTML,
            "status": "published",
            "visibility": "members",
            "published_at": "2024-11-13T07:40:00.000Z",
            "custom_excerpt": "A queue\non Sundays",
            "feature_image": f"{SITE}/content/images/size/w1200/2024/11/park.png",
        },
        {
            **one,
            "id": "p2",
            "title": "Ten cars",
            "slug": "ten-cars",
            "status": "sent",
            "published_at": "2024-10-01T06:00:00Z",
        },
        {**one, "id": "p3", "title": "(Untitled)", "slug": "untitled", "status": "draft", "published_at": None},
        {**one, "id": "p4", "title": "About", "slug": "about", "status": "published", "type": "page"},
    ]
    return {
        "posts": list(posts) or three,
        "posts_meta": [
            {
                "post_id": "p1",
                "email_subject": "Forty!",
                "feature_image_alt": "Cars",
                "feature_image_caption": "<i>Dusk</i>",
            }
        ],
        "tags": [{"id": "t1", "name": "Charging"}, {"id": "t2", "name": "#internal"}, {"id": "t3", "name": "Cars"}],
        "posts_tags": [
            {"post_id": "p1", "tag_id": "t3", "sort_order": 1},
            {"post_id": "p1", "tag_id": "t1", "sort_order": 0},
            {"post_id": "p1", "tag_id": "t2", "sort_order": 2},
        ],
        "users": [{"id": 1, "name": "Ann Ode", "email": "ann@volt.example.org", "password": "x"}],
        "posts_authors": [{"post_id": "p1", "author_id": 1, "sort_order": 0}],
        "settings": [{"key": "title", "value": "The Volt"}],
    }


def ghost_json(folder: Path, *posts: dict[str, Any]) -> Path:
    """A .json export."""
    path = folder / "the-volt.ghost.2024-11-20.json"
    whole = {"db": [{"meta": {"exported_on": 1732060800000, "version": "5.100.0"}, "data": ghost_tables(*posts)}]}
    path.write_text(json.dumps(whole), "utf-8")
    return path


def ghost_zip(folder: Path) -> Path:
    """A .zip export with a picture beside the JSON."""
    path = folder / "the-volt.zip"
    inner = {"meta": {"version": "6.0.0"}, "data": ghost_tables()}
    return packed(path, {"data/ghost.json": json.dumps(inner), "content/images/2024/11/park.png": PICTURE})


SUBSTACK_HTML = (DATA / "substack.html").read_text("utf-8")

SUBSTACK_CSV = (DATA / "substack.csv").read_text("utf-8")


def substack_zip(folder: Path) -> Path:
    """A .zip export."""
    return packed(
        folder / "volt-export.zip",
        {
            "posts.csv": SUBSTACK_CSV,
            "posts/101.forty-stalls.html": SUBSTACK_HTML,
            "posts/99.ten-cars.html": "<p>A few words.</p>",
            "posts/102.not-yet.html": "<p>Later.</p>",
            "posts/103.about.html": "<p>About us.</p>",
            "posts/101.forty-stalls.delivers.csv": "email\nreader@example.com\n",
            "email_list.csv": "email\nreader@example.com\n",
        },
    )


def packed(path: Path, files: dict[str, str | bytes]) -> Path:
    """A zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
