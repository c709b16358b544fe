"""The neutral content as plain text and as HTML."""

from __future__ import annotations

import html

from mlmon.alerts.content import Content


def as_text(content: Content, *, with_title: bool = True) -> str:
    """The content for a terminal, a plain mail, or any service that shows text."""
    blocks = [content.title] if with_title else []
    if content.summary:
        blocks.append(content.summary)
    width = max((len(label) for label, _ in content.facts), default=0)
    facts = [f"{label:<{width}}  {value}" for label, value in content.facts]
    if content.sparkline:
        facts.append(f"{'Lately':<{width}}  {content.sparkline}")
    if facts:
        blocks.append("\n".join(facts))
    for heading, lines in content.sections:
        blocks.append("\n".join([f"{heading}:", *(f"  {line}" for line in lines)]))
    actions = [f"{label}: {text}" for label, text in (*content.links, *content.commands)]
    if actions:
        blocks.append("\n".join(actions))
    return "\n\n".join(blocks)


def as_html(content: Content) -> str:
    """The content as a small HTML page; everything in it is escaped."""
    colour = {"critical": "#b3261e", "warning": "#8a6100"}.get(content.severity, "#1b6e3c")
    if content.event == "resolve":
        colour = "#1b6e3c"
    safe = html.escape
    parts = [f'<h2 style="color:{colour};font-size:18px">{safe(content.title)}</h2>']
    if content.summary:
        parts.append(f"<p>{safe(content.summary)}</p>")
    rows = [*content.facts, *([("Lately", content.sparkline)] if content.sparkline else [])]
    if rows:
        cells = "".join(
            f'<tr><td style="color:#555;padding-right:16px">{safe(label)}</td>'
            f"<td>{safe(value)}</td></tr>"
            for label, value in rows
        )
        parts.append(f'<table cellpadding="2">{cells}</table>')
    for heading, lines in content.sections:
        items = "".join(f"<li>{safe(line)}</li>" for line in lines)
        parts.append(f"<p><b>{safe(heading)}</b></p><ul>{items}</ul>")
    web = dict(content.web_links)
    for label, url in content.links:
        shown = f'<a href="{safe(url)}">{safe(url)}</a>' if label in web else safe(url)
        parts.append(f"<p>{safe(label)}: {shown}</p>")
    for label, text in content.commands:
        parts.append(f"<p>{safe(label)}</p><pre>{safe(text)}</pre>")
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"></head>\n'
        f'<body style="font-family:sans-serif;font-size:14px">\n{body}\n</body></html>\n'
    )
