"""The portal on the Pi, with real devices: what happens stands on the page at once, and a device that is disconnected
there leaves its VM, and comes back."""

import json
from statistics import median

import pytest

from lab import install, paths
from lab.gadget import Gadget

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)

# A browser of few words, on the Pi itself: the network of the lab is not what is measured. It logs in with the code of
# its first argument, and prints when it has a status, and for each event how long it took until it was here, and until a
# status followed.
BROWSER = r"""
import http.client, json, sys, time
from datetime import datetime
def post(path, value, headers={}):
    c = http.client.HTTPConnection("10.77.0.2", 8080, timeout=30)
    c.request("POST", path, json.dumps(value), {"Content-Type": "application/json", **headers})
    r = c.getresponse()
    return r, json.loads(r.read())
r, in_ = post("/api/setup", {"code": sys.argv[1], "password": "correct horse"})
assert r.status == 200, in_
mine = {"Cookie": r.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": in_["csrf"]}
if len(sys.argv) > 2:
    r, done = post(sys.argv[2], json.loads(sys.argv[3]), mine)
    print(json.dumps({"status": r.status, "done": done}))
    sys.exit()
c = http.client.HTTPConnection("10.77.0.2", 8080, timeout=120)
c.request("GET", "/api/stream", headers=mine)
name, waiting = None, []
for line in c.getresponse():
    line = line.decode().rstrip("\n")
    if line.startswith("event: "):
        name = line[7:]
    elif line.startswith("data: ") and name == "happened":
        event = json.loads(line[6:])
        since = time.time() - datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
        print(json.dumps({"kind": event["kind"], "place": event["place"], "came_ms": since * 1000}), flush=True)
        waiting.append((event["kind"], time.time() - since))
    elif line.startswith("data: ") and name == "status":
        print(json.dumps({"looks": True}), flush=True)
        for kind, began in waiting:
            print(json.dumps({"kind": kind, "shown_ms": (time.time() - began) * 1000}), flush=True)
        waiting = []
"""


@pytest.fixture
def portal(longcord, lab):
    """Installed beside longcord-pi, as its package would; gone again afterwards."""
    install.bring(lab.pi, paths.STAGE / "portal", ["longcord-portal"])
    install.run_services(lab.pi, ["longcord-portal"])
    lab.pi.put(BROWSER, "/root/browser.py")
    yield
    lab.pi.run("systemctl disable --now longcord-portal; rm -rf /var/lib/longcord-portal")


def code(lab):
    return lab.pi.run("longcord portal-code 2>/dev/null").strip()


def ask(lab, path, value):
    out = lab.pi.run(["python3", "/root/browser.py", code(lab), path, json.dumps(value)])
    return json.loads(out.splitlines()[-1])


def test_what_happens_is_on_the_page_at_once(portal, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    lab.pi.run(f"systemd-run --quiet --unit=browser -p StandardOutput=file:/root/seen python3 /root/browser.py {code(lab)}")
    try:
        lab.wait(lambda: "looks" in lab.pi.read("/root/seen"), what="the browser to look at the page")
        place = lab.pi.plug(BOARD).split("/")[1]
        vm.guest.wait_tty("ttyACM0")
        lab.pi.unplug(BOARD)
        vm.guest.wait_no_tty("ttyACM0")

        def seen():
            lines = [json.loads(line) for line in lab.pi.read("/root/seen").splitlines()]
            kinds = {line["kind"] for line in lines if "shown_ms" in line}
            return lines if {"came", "exported", "state", "went"} <= kinds else None
        lines = lab.wait(seen, what="the page to have heard of it all")
        assert any(line.get("place") == place for line in lines)
        for part in ("came_ms", "shown_ms"):
            took = [line[part] for line in lines if part in line]
            print(f"\n{part}: {median(took):.0f} ms (median), {max(took):.0f} ms (largest) of {len(took)} events")
            # 200 ms is promised for a Pi; this one is emulated and shares the machine with all the others.
            assert max(took) < 10 * 200, took
    finally:
        lab.pi.run("systemctl stop browser; systemctl reset-failed browser 2>/dev/null; true")


@pytest.mark.more
def test_a_device_is_disconnected_and_connected_again(portal, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    place = lab.pi.plug(BOARD).split("/")[1]
    vm.guest.wait_tty("ttyACM0")
    done = ask(lab, "/api/detach", {"place": place})
    assert done["status"] == 200, done
    vm.guest.wait_no_tty("ttyACM0")
    done = ask(lab, "/api/resume", {"all": True})
    assert done["status"] == 200 and done["done"]["changed"], done
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


@pytest.mark.more
def test_a_connection_is_tested_beside_the_link(portal, lab):
    done = ask(lab, "/api/test", {"node": lab.node.role})
    assert done["status"] == 200 and done["done"]["ok"], done
    status = json.loads(lab.pi.run("longcord status --json"))
    assert all(link["linked"] for link in status["links"])


@pytest.mark.more
def test_it_runs_as_its_own_user_and_may_do_little(portal, lab):
    assert lab.pi.run("ps -o user= -C longcord-portal").strip().startswith("longcord")
    exposure = lab.pi.run("systemd-analyze security longcord-portal.service | tail -1")
    assert float(exposure.split(":")[1].split()[0]) <= 1.5, exposure
