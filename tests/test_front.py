"""Front matter is read by libyaml where that gives the same: PyYAML's own parser says here what is the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ContentError
from newsletter.issue.front import read_document

PIECES = (
    *("a", "b: ", "key: ", "\n", "\n", "  ", "- ", " ", "'", '"', "[", "]", "{", "}", ",", ":", "#", " #", "?", "? "),
    *(
        "|",
        "|-",
        ">",
        "1",
        "2024-01-02",
        "true",
        "~",
        "é",
        "中",
        "👩🏽‍🚀",
        "\u0085",
        "\u2028",
        "\ufeff",
        "\u00a0",
        "\t",
    ),
    *("!", "!!str ", "%", "@", "`", "&a ", "*a", "\\", "\\n", "\\x41", "\\/", "=", "<<: ", "-", "1:30", "0x1f", "x y"),
)


def read_by_python(text: str) -> tuple[dict[str, object], dict[str, int]] | None:
    """The values, and where each begins; None for what is no front matter."""
    try:
        values, node = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        return None
    return {str(key): value for key, value in values.items()}, {k.value: v.start_mark.index for k, v in node.value}


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=16).map("".join), st.sampled_from(["", "t: ", "t: é\nu: "]))
def test_values_and_places_are_those_of_the_slow_parser(tmp_path_factory, text, begin):
    path = tmp_path_factory.getbasetemp() / "front.md"
    front = f"{begin}{text}"
    path.write_text(f"---\n{front}\n---\n", "utf-8")
    try:
        document = read_document(path)
    except ContentError:
        return
    expected = read_by_python(re.split(r"(?m)^(?:---|\.\.\.)[ \t]*$", document.whole.text[4:])[0])
    assert expected is not None
    assert repr(dict(document.values)) == repr(expected[0])
    assert document.offsets == {key: 4 + offset for key, offset in expected[1].items()}


@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("title", ["Wörter 中文 👩🏽‍🚀", "plain"])
def test_places_count_characters_behind_any_beginning_and_line_end(tmp_path: Path, begin: str, end: str, title: str):
    path = tmp_path / "01-a.md"
    path.write_bytes(end.join([f"{begin}---", f"title: {title}", "tags: [é, b]", "hook:  x", "---", "Body"]).encode())
    document = read_document(path)
    assert document.values == {"title": title, "tags": ["é", "b"], "hook": "x"}
    assert [str(document.place(key)) for key in document.values] == [f"{path}:2:8", f"{path}:3:7", f"{path}:4:8"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title: é: x", ":2:9: the front matter is not YAML: mapping values are not allowed here"),
        ("é: 1\né: 2", ":3:1: `é` stands twice"),
        ("中: *a", ":2:4: the front matter is not YAML: a value that begins with * needs quotes"),
        ('é: "\\x07"', ":2:4: the front matter is not YAML: a value holds the control character U+0007"),
        ("\n".join(" " * n + "a:" for n in range(1000)), ":2:1: the front matter is nested too deep"),
        ("- é", ":2:1: the front matter is not a list of `key: value` lines"),
    ],
)
def test_faults_are_told_as_the_slow_parser_tells_them(tmp_path, text, fault):
    path = tmp_path / "01-a.md"
    path.write_text(f"---\n{text}\n---\n", "utf-8")
    with pytest.raises(ContentError) as caught:
        read_document(path)
    assert str(caught.value).startswith(f"{path}{fault}")
