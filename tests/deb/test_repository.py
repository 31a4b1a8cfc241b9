# SPDX-License-Identifier: MIT
"""The apt repository that packaging/repository makes, from a static web server: a machine adds it, installs by name,
and is upgraded from it; what somebody meddled with is refused."""
import functools
import http.server
import shutil
import threading

import pytest
from clean import RELEASES
from later import field, make_later, newer
from repository import Repository, source


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture
def site(repository):
    """Serves its folder, and nothing but its files."""
    handler = functools.partial(QuietFiles, directory=repository.folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


def add(machine, repository, site, suite):
    key = machine.path("/etc/apt/keyrings/longcord.asc")
    key.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(repository.folder / "longcord.asc", key)
    machine.path("/etc/apt/sources.list.d/longcord.sources").write_text(source(site, suite))


def test_a_machine_installs_by_name_and_is_upgraded(repository, site, machine, debs, release, tmp_path):
    repository.publish(*debs.values())
    add(machine, repository, site, release)
    machine.apt("update")
    machine.apt("install", "longcord-pi")
    first = field(debs["longcord-pi"], "Version")
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "longcord-pi") == first
    assert site in machine.run("apt-cache", "policy", "longcord-pi")

    repository.publish(*(make_later(deb, tmp_path, newer) for deb in debs.values()))
    machine.apt("update")
    machine.apt("upgrade")
    for name in ("longcord-pi", "longcord-common"):
        assert machine.run("dpkg-query", "-W", "-f", "${Version}", name) == newer(first)
    assert first in machine.run("apt-cache", "madison", "longcord-pi")  # and there is a way back


def test_each_suite_has_its_own_release(repository, debs, release):
    repository.publish(*debs.values())
    for suite in RELEASES:
        listed = (repository.folder / f"dists/{suite}/main/binary-amd64/Packages").read_text()
        assert (f"~deb{RELEASES[release]}" in listed) == (suite == release)


@pytest.mark.parametrize("victim", ["index", "package", "signature"])
def test_what_was_meddled_with_is_refused(victim, repository, site, machine, debs, release):
    repository.publish(*debs.values())
    add(machine, repository, site, release)
    if victim == "package":
        machine.apt("update")
        for known in machine.archives.glob("longcord-pi_*"):  # apt asks for nothing that it has
            known.unlink()
        deb, = (repository.folder / f"pool/{release}").glob("longcord-pi_*.deb")
    else:
        name = {"index": "main/binary-amd64/Packages.xz", "signature": "InRelease"}[victim]
        deb = repository.folder / f"dists/{release}/{name}"
    if victim == "signature":
        deb.write_text(deb.read_text().replace("Origin: Longcord", "Origin: Somebody"))
    else:
        data = bytearray(deb.read_bytes())
        data[len(data) // 2] ^= 1
        deb.write_bytes(data)
    machine.try_run("apt-get", "-q", "update")
    done = machine.try_run("apt-get", "-qy", "install", "longcord-pi")
    assert done.returncode != 0, done.stdout
    assert not machine.path("/usr/sbin/longcord-pi").exists()


def test_a_key_that_the_machine_does_not_know_is_refused(repository, site, machine, debs, release, tmp_path):
    repository.publish(*debs.values())
    stranger = Repository(tmp_path / "stranger")
    try:
        (tmp_path / "stranger").mkdir()
        (tmp_path / "stranger/longcord.asc").write_text(stranger.gpg("--armor", "--export"))
        add(machine, stranger, site, release)
    finally:
        stranger.close()
    said = machine.try_run("apt-get", "-q", "update").stdout
    assert "NO_PUBKEY" in said or "Missing key" in said, said  # by gpgv in Debian 12, sqv in 13
    assert machine.try_run("apt-get", "-qy", "install", "longcord-pi").returncode != 0


def test_what_was_published_is_never_replaced_by_something_else(repository, debs, tmp_path):
    deb = debs["longcord-pi"]
    repository.publish(deb)
    repository.publish(deb)
    other = make_later(deb, tmp_path, lambda version: version)
    done = repository.try_publish(other)
    assert done.returncode == 1 and "give it a new version in CHANGELOG" in done.stdout


def test_what_it_cannot_do_is_said(repository, debs, tmp_path):
    deb = debs["longcord-pi"]
    assert "no secret key" in repository.try_publish(deb, key="nobody@example.org").stdout
    nameless = make_later(deb, tmp_path, lambda version: version.split("~")[0])
    assert "names no release" in repository.try_publish(nameless).stdout
