"""The neutral form of a message, which every channel renders in its own way.

Its texts are plain: whatever comes out of a log is cleaned of control characters and cut here, and
escaped by the channel for what the channel interprets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# How long a name or value out of the data may be, and a whole line or statement.
LONGEST_VALUE = 120
LONGEST_LINE = 1_000
MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class Content:
    """Title, one sentence, facts by label, lists under headings, and what to do."""

    title: str
    event: str
    severity: str
    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sparkline: str = ""
    links: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    # Numbers and times for programs; times in ISO 8601, UTC.
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return {
            "title": self.title,
            "event": self.event,
            "severity": self.severity,
            "summary": self.summary,
            "facts": [list(pair) for pair in self.facts],
            "sections": [[heading, list(lines)] for heading, lines in self.sections],
            "sparkline": self.sparkline,
            "links": [list(pair) for pair in self.links],
            "commands": [list(pair) for pair in self.commands],
            "labels": dict(self.labels),
            "data": dict(self.data),
        }

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Content:
        """The content that `as_dict` made the form of."""
        return cls(
            title=form["title"],
            event=form["event"],
            severity=form["severity"],
            summary=form["summary"],
            facts=tuple((label, value) for label, value in form["facts"]),
            sections=tuple((heading, tuple(lines)) for heading, lines in form["sections"]),
            sparkline=form["sparkline"],
            links=tuple((label, url) for label, url in form["links"]),
            commands=tuple((label, text) for label, text in form["commands"]),
            labels=form["labels"],
            data=form["data"],
        )

    @property
    def web_links(self) -> list[tuple[str, str]]:
        """The links that a browser can follow."""
        return [
            (label, url) for label, url in self.links if url.startswith(("https://", "http://"))
        ]


def clean(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value as one line of visible text: no control characters, no reversed writing, cut."""
    text = str(value)[: 4 * longest]
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return cut(" ".join(text.split()), longest)


def harmless(text: str) -> str:
    """The text for services that interpret it nobody knows how: no tag, link or call of a name in
    angle brackets is left whole, and nobody is called by an @ for all."""
    text = re.sub(r"<(?=[^\s=])", "< ", text)
    return re.sub(r"@(?=(?:everyone|here|channel|all)\b)", "@\u200b", text, flags=re.IGNORECASE)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def shrunk(content: Content) -> Iterator[Content]:
    """The content, and ever less of it, down to the title."""
    yield content
    for n in (3, 0):
        content = replace(
            content,
            sections=tuple((heading, lines[:n]) for heading, lines in content.sections if n),
        )
        yield content
    yield replace(content, facts=content.facts[:3], sparkline="", commands=(), data={})
    yield replace(
        content,
        title=cut(content.title, 120),
        summary="",
        facts=(),
        sparkline="",
        commands=(),
        links=(),
        data={},
        labels={label: cut(value, 40) for label, value in content.labels.items()},
    )
