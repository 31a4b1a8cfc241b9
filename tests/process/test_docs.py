# SPDX-License-Identifier: MIT
"""The documents say what is so: each command is one that the real programs take, each snippet one that the real
parsers accept, and each file, unit, package, metric and link is there."""
import os
import re
import subprocess

import pytest
from docs_text import MAN, PAGES, REPOSITORY, blocks, filled, man_commands, named, page_commands, roff_text
from host_world import binary

USAGE = 2
# Sentences in which one of our programs' names begins what is no command.
NO_COMMANDS = {("longcord", "1.2.3.4"), ("longcord", "complete")}


def run(words, root, **more):
    return subprocess.run([binary(words[0]), *words[1:]], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "LONGCORD_ROOT": str(root)}, **more)


def all_commands():
    seen = {}
    for where, command in [*page_commands(), *man_commands()]:
        seen.setdefault(tuple(filled(command)), where)
    return [(words, where) for words, where in seen.items() if len(words) > 1 and words[:2] not in NO_COMMANDS]


@pytest.mark.parametrize("words,where", all_commands(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else value)
def test_every_command_is_one_that_the_program_takes(words, where, tmp_path):
    """No service runs below that root, so it gets as far as asking for one: anything but a usage error will do."""
    # An address that no machine has: what would serve until it is stopped fails at once instead.
    words = [re.sub(r"^(?:[\d.]*|\[::1\])(?=:\d+$)", "192.0.2.1", word) for word in words]
    done = run(words, tmp_path)
    if done.returncode == USAGE and all(re.fullmatch("[a-z-]+", word) for word in words):
        done = run([*words, "--help"], tmp_path)  # a sentence that names a verb without its arguments
        assert f"Usage: {' '.join(words)} [" in done.stdout, f"{where}: {done.stdout}"
    assert done.returncode != USAGE, f"{where}: {done.stderr}"


def test_commands_were_found_on_every_page_that_has_any():
    by_page = {}
    for where, command in page_commands():
        by_page.setdefault(where.split(":")[0], []).append(command)
    for page in ("install-proxmox", "install-pi", "esp32", "zigbee", "containers", "moving", "troubleshooting",
                 "monitoring", "serial", "snapshots", "pairing"):
        assert by_page.get(f"docs/{page}.md"), page
    assert ["longcord", "vm", "quiesce", "100", "--", "qm", "snapshot", "100", "before", "--vmstate", "1"] in \
        by_page["docs/zigbee.md"]


# --- snippets

def snippets(kind):
    """(where, text) of blocks that begin by saying which file they are: # /etc/longcord/host.yaml"""
    for path in PAGES:
        for number, block in blocks(path):
            for part in re.split(r"^(?=# /etc/\S+$)", block, flags=re.M):
                first = part.splitlines()[0] if part else ""
                if re.fullmatch(rf"# {kind}", first):
                    yield f"{named(path)}:{number}", re.split(r"\n\n(?=\S+ )", part)[0] + "\n"
    if kind.startswith("/etc/pve"):
        text = (REPOSITORY / "docs/man/longcord.rules.5").read_text()
        example = re.search(r"\.Sh EXAMPLES\n\.Bd -literal\n(.*?)\.Ed", text, re.S).group(1)
        yield "docs/man/longcord.rules.5", example
    page = REPOSITORY / f"docs/man/longcord.{kind.split('/')[-1]}.5"
    if page.exists():
        example = re.search(r"\.SH EXAMPLE\n\.nf\n(.*?)\.fi", page.read_text(), re.S)
        yield named(page), example.group(1).replace("\\-", "-")


@pytest.mark.parametrize("where,text", [*snippets(r"/etc/pve/qemu-server/\d+\.usb\.conf")], ids=lambda value: value[:40])
def test_every_rules_snippet_parses(where, text, tmp_path):
    rules = tmp_path / "100.usb.conf"
    rules.write_text(text)
    done = run(["longcord", "rules", "check", str(rules)], tmp_path)
    assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("role", ["host", "pi", "portal"])
def test_every_settings_snippet_is_accepted(role, tmp_path):
    found = [*snippets(f"/etc/longcord/{role}.yaml")]
    assert found
    for where, text in found:
        settings = tmp_path / f"{role}.yaml"
        settings.write_text(text)
        done = run([f"longcord-{role}", "--check-config", "--config", str(settings)], tmp_path)
        assert done.returncode == 0, f"{where}: {text}{done.stdout}{done.stderr}"


def keys_of(role):
    """The settings in the annotated example, which shows every key."""
    text = (REPOSITORY / f"config/{role}.yaml").read_text()
    return set(re.findall(r"^#(\w+):", text, re.M))


@pytest.mark.parametrize("role", ["host", "pi", "portal"])
def test_the_manual_has_every_setting(role, tmp_path):
    page = roff_text(REPOSITORY / f"docs/man/longcord.{role}.yaml.5")
    for key in keys_of(role):
        assert re.search(rf"\b{key}\b", page), key
    # And the example shows them all: with each of its comments taken away it is still accepted, key by key.
    settings = tmp_path / f"{role}.yaml"
    text = (REPOSITORY / f"config/{role}.yaml").read_text()
    settings.write_text("".join(f"{line[1:]}\n" for line in text.splitlines() if re.match(r"#( {2}|\w+:( |$))", line)
                                and not re.match(r"#     ", line)))
    done = run([f"longcord-{role}", "--check-config", "--config", str(settings)], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# --- --help and the manual

def verbs(tmp_path, *path):
    """Every verb with its --help: {("rules", "check"): text}."""
    done = run(["longcord", *path, "--help"], tmp_path)
    assert done.returncode == 0
    found = {path: done.stdout}
    names = []
    for section in re.findall(r"^\w+:\n((?:  .*\n?)+)", done.stdout, re.M):
        for name in re.findall(r"^  ([a-z][a-z-]+)  ", section + "\n", re.M):
            names.append(name)
    for name in names:
        found.update(verbs(tmp_path, *path, name))
    return found


def test_every_verb_and_option_is_in_the_manual_and_the_other_way_round(tmp_path):
    page = roff_text(REPOSITORY / "docs/man/longcord.1")
    helps = verbs(tmp_path)
    assert ("rules", "check") in helps and ("serial", "serve") in helps and ("status",) in helps
    options = set()
    for verb, text in helps.items():
        assert f"longcord {' '.join(verb)}".strip() in page, verb
        options |= set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text.split("Options:")[-1].split("\n\n")[0]))
    in_page = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", page))
    assert options - in_page == set()
    assert in_page - options - {"--vmstate", "--now"} == set()  # qm's and systemctl's


def test_help_reads_well(tmp_path):
    for verb, text in verbs(tmp_path).items():
        where = " ".join(verb)
        assert text.splitlines()[0][0].isupper(), where
        assert "REQUIRED" not in text and "Needs:" not in text and "TEXT" not in text, f"{where}: {text}"
        for line in text.splitlines():
            assert len(line) <= 100, f"{where}: {line}"


def test_there_is_a_page_for_every_program_settings_file_and_format():
    pages = {path.name for path in MAN}
    wanted = {"longcord.1", "longcord.rules.5"}
    wanted |= {f"longcord.{path.stem}.yaml.5" for path in (REPOSITORY / "config").glob("*.yaml")}
    for text in (path.read_text() for path in (REPOSITORY / "src").rglob("CMakeLists.txt")):
        wanted |= {f"{name}.8" for name in re.findall(r"add_executable\((longcord-\w+)", text)}
    wanted.add("longcord-hookscript.8")
    assert wanted - pages == set()
    installed = (REPOSITORY / "cmake/install.cmake").read_text() + (REPOSITORY / "src/portal/CMakeLists.txt").read_text()
    assert {name for name in pages if f"docs/man/{name}" not in installed} == set()


# --- names

def words_in(path):
    return path.read_text() if path.suffix == ".md" else roff_text(path)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path):
    text = path.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists() or (REPOSITORY / target).exists(), target
    for target in re.findall(r"\bdocs/[\w./-]*\w", text):
        assert any((REPOSITORY / (target + suffix)).exists() or [*(REPOSITORY / "docs").glob(target[5:] + "*")]
                   for suffix in ("", ".md")), target
    for target in re.findall(r"`((?:src|tests|config|cmake|packaging|udev|hookscript)/[\w./-]*\w)`", text):
        assert (REPOSITORY / target).exists() or [*(REPOSITORY).glob(target + ".*")], target


@pytest.mark.parametrize("path", [*PAGES, *MAN], ids=named)
def test_man_pages_that_are_named_exist(path):
    ours = {page.name for page in MAN}
    for name, section in re.findall(r"\b(longcord[\w.-]*)[ \\fR]*\((\d)\)", words_in(path)):
        assert f"{name}.{section}" in ours, f"{name}({section})"


def installed_names():
    """Names of files that are installed, as CMake and the packaging have them."""
    text = "".join(path.read_text() for path in
                   [REPOSITORY / "cmake/install.cmake", *(REPOSITORY / "src").rglob("CMakeLists.txt"),
                    *(path for path in (REPOSITORY / "packaging").rglob("*") if path.is_file())])
    return text


@pytest.mark.parametrize("path", [*PAGES, *MAN], ids=named)
def test_units_and_packages_that_are_named_exist(path):
    text = words_in(path)
    units = {unit.name for unit in (REPOSITORY / "packaging/systemd").iterdir()}
    for unit in re.findall(r"\blongcord[\w-]*\.(?:service|timer|socket)\b", text):
        assert unit in units, unit
    packages = set(re.findall(r"^Package: (\S+)", (REPOSITORY / "packaging/debian/control").read_text(), re.M))
    for package in re.findall(r"\./(longcord-\w+)_", text):
        assert package in packages, package


@pytest.mark.parametrize("path", [*PAGES, *MAN], ids=named)
def test_metrics_and_journal_fields_that_are_named_exist(path):
    code = "".join(source.read_text() for source in (REPOSITORY / "src").rglob("*.cpp"))
    for name in re.findall(r"\b(longcord_[a-z_]+)\b(?!\.)", words_in(path)):
        if not name.endswith("_room"):
            assert f'"{name}"' in code, name
    for field in re.findall(r"\b(LONGCORD_[A-Z_]+)\b", words_in(path)):
        assert field in code or field in ("LONGCORD_BIN", "LONGCORD_ROOT"), field


@pytest.mark.parametrize("path", [*PAGES, *MAN], ids=named)
def test_fixed_paths_that_are_named_are_in_the_code_or_the_packages(path):
    """/etc/longcord, /run/longcord, /var/lib/longcord, /usr/share/longcord, /usr/libexec/longcord: the last part of
    each that is no placeholder stands in the sources."""
    code = installed_names() + "".join(
        source.read_text() for source in (REPOSITORY / "src").rglob("*.[ch]pp"))
    for full in re.findall(r"(?:/etc|/run|/var/lib|/usr/share|/usr/libexec|/var/log)/longcord[\w-]*/[\w./-]*\w", words_in(path)):
        last = full.rsplit("/", 1)[-1]
        if last.isupper() or full.startswith("/etc/longcord/portal.") or last in ("NAME", "host.sock", "pi.sock", "link.sock"):
            continue
        assert last in code, full
