# SPDX-License-Identifier: MIT
"""What the documents say, taken apart: commands, snippets, links, names of files and units."""
import re
import shlex
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")])
MAN = sorted((REPOSITORY / "docs/man").glob("*.[158]"))
PROGRAMS = ("longcord", "longcord-host", "longcord-pi", "longcord-portal")

# What stands for something in the documents, and something that it can stand for.
FOR_EXAMPLE = {
    "VMID": "100", "VM": "100", "PLACE": "3-4", "RULE": "3-4", "NODE": "pve1", "NAME": "workbench", "FILE": "/none",
    "TOKEN": "AXdvcmti", "ADDRESS": "192.0.2.5", "DEVICE": "/dev/none", "VERB": "status", "STORAGE": "local",
    "SECONDS": "1", "HOST[:PORT]": "192.0.2.1", "HOST": "192.0.2.1", "ADDR:PORT": "192.0.2.1:4000", "LEVEL": "debug", "N": "10", "CMD": "true",
    "usbip|serial|off": "usbip", "PLACE…": "3-4", "TOKEN…": "AXdvcmti"}


def named(path):
    return str(path.relative_to(REPOSITORY))


def blocks(path):
    """The indented blocks of a page, each without its indentation, with the number of its first line."""
    found, block, first, margin = [], [], 0, 0
    for number, line in enumerate([*path.read_text().splitlines(), "end"], 1):
        indent = len(line) - len(line.lstrip())
        # Inside a list item a block is deeper by what the item is.
        if line.strip() and indent >= 4 and (block or indent in (4, 5, 6, 7, 8)):
            if not block:
                first, margin = number, indent
            block.append(line[min(margin, indent):])
        elif block and not line.strip():
            block.append("")
        elif block:
            found.append((first, "\n".join(block).rstrip()))
            block = []
    return found


def roff_text(path):
    """A man page without its requests and fonts: enough for its words."""
    lines = []
    for line in path.read_text().splitlines():
        if line.startswith('.\\"'):
            continue
        line = re.sub(r"^\.(nf|fi|PP|Pp|RS|RE|br|TP|El|Bl.*|Ed|Bd.*)$", "", line)
        line = re.sub(r"^\.(?:[A-Z][A-Za-z]{0,2})\s+", "", line)
        line = line.replace("\\-", "-").replace("\\&", "").replace("\\(dq", '"')
        line = re.sub(r"\\f(?:[BIRP]|\[\w*\])", "", line)
        lines.append(line)
    return "\n".join(lines)


def commands_in(text):
    """The commands of ours in a line or a block of shell: lists of words, as a shell makes them."""
    found = []
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        line = re.sub(r"^\s*(?:\w+@\w+:\S*)?[#$]\s+(?=longcord)", "", line)  # a prompt
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue
        command = []
        for word in [*words, ";"] if "──" not in line else []:
            if re.fullmatch(r"[;&|<>]+", word):
                if command and command[0] in PROGRAMS:
                    found.append(command)
                command = []
            else:
                command.append(word)
    return found


def filled(command):
    """Something that can be run: placeholders are replaced, brackets of options that may be left out are gone."""
    words = []
    for word in command:
        bare = word.removesuffix("...")
        if bare not in FOR_EXAMPLE:
            bare = bare.strip("[]").removesuffix("...")
        if bare not in ("", "…", "Ar", "."):  # the latter two are mdoc's
            words.append(FOR_EXAMPLE.get(bare, bare))
    return words


def page_commands():
    """(where, words) of every command of ours in blocks and `inline` on the pages."""
    for path in PAGES:
        for number, block in blocks(path):
            for offset, line in enumerate(block.replace("\\\n", " ").splitlines()):
                for command in commands_in(line):
                    yield f"{named(path)}:{number + offset}", command
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for text in re.findall(r"`([^`]+)`", line):
                for command in commands_in(text):
                    yield f"{named(path)}:{number}", command


def man_commands():
    """Of examples, which stand between .nf and .fi, and of lines that are a command and nothing else."""
    for path in MAN:
        for example in re.findall(r"^\.nf\n(.*?)^\.fi$", path.read_text(), re.M | re.S):
            text = example.replace("\\-", "-").replace("\\e", "\\")
            for command in commands_in(text):
                yield named(path), command
        for line in path.read_text().splitlines():
            bold = re.match(r"^\.(?:B|Ql) (longcord (?:[a-z\\-]+)(?: .*)?)$", line)
            if bold:
                text = re.sub(r"\\f(?:[BIRP]|\[\w*\])", "", bold.group(1).replace("\\-", "-"))
                for command in commands_in(text):
                    yield named(path), command
