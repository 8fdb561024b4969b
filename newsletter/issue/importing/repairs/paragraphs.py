"""Plain text in which a line is a paragraph, told apart from paragraphs that somebody wrapped by hand."""

from __future__ import annotations

from newsletter.issue.importing.manuscript import Manuscript, Passage, Say

_WRAPPED = range(50, 101)  # characters: the longest line of a paragraph that was wrapped by hand
_SENTENCE_ENDS = tuple(".!?:…”\"'’)。！？：")


def single_newlines(manuscript: Manuscript, say: Say) -> Manuscript:
    found: list[Passage] = []
    for passage in manuscript.passages:
        lines = passage.text.split("\n")
        if len(lines) == 1 or _wrapped(lines):
            found.append(passage)
            continue
        found += [Passage(passage.line + n, line) for n, line in enumerate(lines)]
        say(passage.line, f"{len(lines)} lines became a paragraph each")
    return manuscript.with_passages(found)


def _wrapped(lines: list[str]) -> bool:
    """Whether `lines` are one paragraph: about as long as each other, and sentences run on from one to the next."""
    longest = max(map(len, lines))
    return (
        longest in _WRAPPED
        and all(len(line) * 2 >= longest for line in lines[:-1])
        and any(not line.endswith(_SENTENCE_ENDS) for line in lines[:-1])
    )
