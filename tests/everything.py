"""An issue that holds all that an article can hold, and words that try to be more than words."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from newsletter.workspace import Workspace

HOSTILE = "<script>alert(1)</script> 'single' \\u{a0} a\u00a0b 👩🏽‍🚀 &amp; {% 7 %} é"
_SAID = json.dumps(f'{HOSTILE} "double"', ensure_ascii=False)
_ARGUMENT = f'"{HOSTILE}"'

SETTINGS = """
[publication]
id = "everything01"
name = "Every & Thing"
url = "https://every.example.org"
from = "Ada <ada@every.example.org>"
postal_address = "1 Long Road\\n00001 Example"
description = "All that there is, in one letter."
"""
ISSUE = """---
id: "everything12"
number: 9
title: "Everything"
subject: "Everything"
preheader: "All of it, {{ subscriber.first_name | default(\\"dear <reader>\\") }}."
hook: "Test"
date: 2026-03-04
---
Hello {{ subscriber.first_name | default("dear <reader>") }},

## A heading before all articles

Words.

<!-- articles -->

Bye.
"""
PROSE = """---
title: "Everything that Markdown can say, under a title of such a length that no screen shows it on one line"
slug: prose
author: "Ada"
hook: "Kitchen sink"
date: 2026-03-04
original_date: 2020-01-02
source_url: https://www.source.example.com/page
image: images/wide.png
alt: "A wide picture"
caption: "A caption."
credit: "Ada"
---

:::toc title="What is in it"

# The writer's first level

*Emphasis*, **strong**, ~~struck~~, `code`, a [link](https://example.com/a), H<sub>2</sub>O and a hard\\
break. A note.[^1]

#### Three levels down at once

- one
  - nested
- [x] done

1. First

   Loose.
2. Second

```python
print("a line of code")


print("after two empty lines")
```

| Car | Range | Price |
|---|--:|:-:|
| One | 400 km | $20,000 |

> A quotation.

---

:::quote by="Somebody" role="a role" source=https://example.com/q
Before the picture.

:::figure src=images/wide.png alt="A picture in a quote" link=https://example.com/large
Its caption.
:::

After the picture.

:::note title="A note in a quote"
Inside.
:::

Last words.
:::

:::note
A note without a title.

:::button url=https://example.com/go
Go there
:::
:::

:::post platform="X" author="Ida" handle="@ida" time=2024-11-13T07:40 url=https://a.example image=images/s.png alt="Dot"
A post.
:::

:::cta title="Everyone" for=everyone button="Send it to me"
One line.
:::

:::cta title="Nobody yet" button="Join"
For strangers.
:::

:::divider

:::sponsor name="Brand" url=https://example.com/brand
An advertisement.
:::

:::figure src=images/s.png dark=images/dark.png alt="A dot, by day and by night"
:::

:::figure
A caption whose picture was lost
:::

:::only web
Only on the web.
:::

:::only email
Only in mail, and [](article:excerpt) by its title.
:::

:::only subscribers
For those who are subscribed.
:::

:::only non-subscribers
:::author name="Ada" role="writes all of it" image=images/s.png alt="Ada" url=https://example.com/ada
She has met a few machines.
:::
:::

:::only tag=pro
For the pro.
:::

:::also

:::comments title="Join in" url=https://example.com/forum
What do you think?
:::

End.

[^1]: The note's text.
"""
OTHERS = {
    "01-prose.de.md": "---\ntitle: Alles, was es gibt\n---\n\nEin Wort.\n\n:::cta\nKomm dazu.\n:::\n",
    "02-link.md": '---\ntitle: "只有链接"\nslug: link\nlang: zh\nemail: link\n---\n\n内容。\n',
    "03-web.md": "---\ntitle: Not in the mail\nslug: web\nemail: none\n---\n\nOnly on the web.\n",
    "04-excerpt.md": "---\ntitle: An excerpt\nslug: excerpt\nemail: excerpt\n---\nIn it.\n\n<!-- more -->\n\nNot.\n",
    "05-hostile.md": f"""---
title: {_SAID}
slug: hostile
author: {_SAID}
hook: {_SAID}
image: images/wide.png
alt: {_SAID}
caption: "Plain."
credit: {_SAID}
---

:::figure src=images/s.png alt={_ARGUMENT} credit={_ARGUMENT}
:::

:::quote by={_ARGUMENT} role={_ARGUMENT}
Words.
:::

:::post platform="X" author={_ARGUMENT} handle={_ARGUMENT}
Words.
:::

:::note title={_ARGUMENT}
Words.
:::

:::sponsor name={_ARGUMENT}
Words.
:::

:::author name={_ARGUMENT} role={_ARGUMENT} image=images/s.png alt={_ARGUMENT}
Words.
:::

:::toc title={_ARGUMENT}

## A heading

:::also title={_ARGUMENT}

:::comments title={_ARGUMENT}
:::
""",
}


def everything(root: Path) -> Workspace:
    """A workspace at `root` with the one issue, number 9."""
    folder = root / "issues" / "9-everything"
    (folder / "images").mkdir(parents=True)
    Image.new("RGB", (1280, 640), "#0b7a4b").save(folder / "images" / "wide.png")
    Image.new("RGB", (200, 100), "#0b7a4b").save(folder / "images" / "s.png")
    Image.new("RGB", (200, 100), "#2fbf85").save(folder / "images" / "dark.png")
    (root / "newsletter.toml").write_text(SETTINGS, "utf-8")
    for name, text in {"issue.md": ISSUE, "01-prose.md": PROSE, **OTHERS}.items():
        (folder / name).write_text(text, "utf-8")
    return Workspace.open(root)
