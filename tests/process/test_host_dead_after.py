# SPDX-License-Identifier: MIT
"""host.yaml's dead_after of one Pi: its own heartbeat time-out, and what it is told."""
import signal

from host_world import wait
from played_pi import PlayedPi, UsbipServer
from test_host_push import ssh

CONFIG = "node: pve1\ndead_after: 60s\npis:\n  hasty: {{ dead_after: {} }}\n"


def test_a_pis_own_time_out_counts_for_it_alone_and_it_is_told(idle_world):
    idle_world.config.write_text(CONFIG.format("1s"))
    idle_world.serve()
    patient = PlayedPi(idle_world, "patient", silent=True)
    hasty = PlayedPi(idle_world, "hasty", silent=True)
    idle_world.says("silent for 1000 ms", kind="unlinked", pi="hasty")
    assert hasty.answers("welcome")[0]["dead_after_ms"] == 1000
    assert patient.answers("welcome")[0]["dead_after_ms"] == 60000
    assert idle_world.pi("patient")["linked"] and not idle_world.pi("hasty")["linked"]
    assert "no effect" not in str(idle_world.events()) + idle_world.log.read_text()
    patient.close()
    hasty.close()


def test_a_reload_changes_it_for_the_link_that_is_up(idle_world):
    idle_world.config.write_text(CONFIG.format("60s"))
    idle_world.serve()
    hasty = PlayedPi(idle_world, "hasty", silent=True)
    wait(lambda: hasty.answers("welcome"))
    idle_world.config.write_text(CONFIG.format("1s"))
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.says("silent for 1000 ms", kind="unlinked", pi="hasty")
    assert [welcome["dead_after_ms"] for welcome in hasty.answers("welcome")] == [60000, 1000]
    hasty.close()


def test_usbip_port_is_where_a_pi_without_our_package_is_dialled(idle_world):
    server = UsbipServer(plain=True)
    server.serve("1-1")
    idle_world.config.write_text(f"node: pve1\nusbip_port: {server.port}\n")
    idle_world.serve()
    told = ssh(idle_world, "connect 1-1")
    assert (told.returncode, told.stdout) == (0, "bench/1-1 is unclaimed: no rule wants it\n")
    server.close()
