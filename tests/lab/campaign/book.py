# SPDX-License-Identifier: MIT
"""The campaign's figures: collected part by part (a part may be run by itself, or again), written to the page."""

import json
import time

from campaign import figures
from lab import paths

BOOK = paths.REPOSITORY / "build" / "reports" / "campaign.json"


class Book:
    def __init__(self):
        try:
            self.parts = json.loads(BOOK.read_text())
        except FileNotFoundError:
            self.parts = {}

    def put(self, part, name, **values):
        self.parts.setdefault(part, {})[name] = {"day": time.strftime("%Y-%m-%d"), **values}
        BOOK.parent.mkdir(parents=True, exist_ok=True)
        BOOK.write_text(json.dumps(self.parts, indent=1))

    def to_page(self):
        page = paths.REPOSITORY / figures.PAGE
        text = page.read_text()
        for part, write in figures.SECTIONS.items():
            if part in self.parts:
                text = figures.with_section(text, part, write(self.parts[part]))
        page.write_text(text)
