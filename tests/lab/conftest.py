"""How scenarios get their lab: one boot for all of them, or the lab that `up` left running."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import artifacts, install, paths, session  # noqa: E402
from lab.longcord import HOST_YAML, Longcord, pi_yaml  # noqa: E402
from lab.progress import say  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("the campaign (scenarios/under_fault.py)")
    group.addoption("--seed", type=int, help="which faults come when; another one each time unless given")
    group.addoption("--turns", type=int, help="of the soak; without end unless given here or in --minutes")
    group.addoption("--minutes", type=float, default=0, help="ends the soak, or the kills at each step, after so long")
    group.addoption("--first", type=int, default=0, help="begins with this turn of the seed, or with this kill")
    group.addoption("--page", action="store_true", help="writes the figures to docs/reliability.md")


def pytest_configure(config):
    if config.option.seed is None:
        config.option.seed = random.randrange(1 << 32)


def pytest_report_header(config):
    return f"campaign: --seed {config.option.seed}"


@pytest.fixture(scope="session")
def whole_lab():
    with session.lab_for_now() as lab:
        yield lab


@pytest.fixture(scope="session")
def installed_lab(whole_lab):
    """The lab with Longcord as tests/stage laid it out, installed once a session."""
    session.install_longcord(whole_lab)
    return whole_lab


@pytest.fixture(scope="session")
def cluster_of_two(installed_lab):
    """The second node, booted when the first scenario asks for it; those scenarios come last."""
    if installed_lab.node2 not in installed_lab.machines:
        node2 = installed_lab.with_node2()
        install.add_node(installed_lab, node2, paths.STAGE / "host", HOST_YAML, pi_yaml(*installed_lab.nodes()))
    return installed_lab


@pytest.fixture
def cluster(cluster_of_two, longcord, lab):
    """The clean lab with two nodes, the Pi linked with both: Longcord as node2 sees it."""
    on_node2 = Longcord(lab, lab.node2)
    on_node2.wait_linked()
    return on_node2


@pytest.fixture
def pi_settings(longcord, lab):
    """Writes more into pi.yaml and reloads it; what was there before comes back."""
    usual = pi_yaml(*lab.nodes())

    def write(more):
        lab.pi.put(usual + more, "/etc/longcord/pi.yaml")
        lab.pi.run("systemctl reload longcord-pi")
    yield write
    write("")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "cluster" in item.fixturenames)


@pytest.fixture
def longcord(installed_lab, lab):
    """The clean lab with both services running and linked. What a scenario let leave the Pi does not leave it in the
    next one."""
    modes = "/var/lib/longcord/modes.json"
    lab.pi.run(f"test ! -e {modes} || {{ rm {modes}; systemctl restart longcord-pi; }}")
    longcord = Longcord(lab)
    longcord.wait_linked()
    return longcord


@pytest.fixture
def lab(whole_lab, request):
    """The lab, clean; it is cleaned again when the scenario ends, and evidence is kept if it failed."""
    whole_lab.reset()
    yield whole_lab
    if getattr(request.node, "failed", None):
        artifacts.keep(whole_lab, request.node.name, request.node.failed)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = report.longreprtext
        say(f"{item.name} failed:\n{item.failed}")
