# SPDX-License-Identifier: MIT
"""Four Pis with four boards each, that come at once, against one board of one of them."""
import os
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from lab.tables import pick, spread, table, verdict  # noqa: E402
from lab.versions import of_the_lab as versions  # noqa: E402,F401

TITLE = "Four Pis with four boards each"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 3))
PIS, BOARDS = 4, 4
CORES = os.cpu_count()
SAMPLE_S = 0.05


def measure(emit):
    from lab import marks, session
    from lab.further_pis import further_pis
    from lab.longcord import Longcord
    with session.lab_for_now() as lab:
        session.install_longcord(lab)
        lab.reset()
        vms = [start(lab, vmid, marks) for vmid in (100, 101)]
        with further_pis(lab, PIS - 1) as further:
            pis = {"workbench": lab.pi, **{pi.name: pi for pi in further}}
            longcord = Longcord(lab)
            for name in pis:
                longcord.wait_linked(name)
            make(pis.values())
            for vm, names in zip(vms, (list(pis)[:2], list(pis)[2:])):
                vm.write_rules(*(f"{name} 1a86:55d4" for name in names))
            observer = marks.Observer(lab, vms[0], *further)
            observer.start()
            come_and_go(observer, longcord, vms, pis, 1)  # the emulator translates what runs for the first time,
            come_and_go(observer, longcord, vms, pis, BOARDS)  # and the Pis' drivers are asked what a board is
            for number in range(ROUNDS):
                for count in (1, BOARDS):
                    emit({"figure": "pis", "round": number, **come_and_go(observer, longcord, vms, pis, count)})
            for vm in vms:
                vm.remove_rules()
        for vm in vms:
            vm.configure()


def start(lab, vmid, marks):
    """Each QEMU with a trace of its own."""
    vm = lab.node.vm(vmid)
    if vm.running():
        vm.stop()
    vm.configure(extra=marks.ARGS.format(log=f"/run/lab/qemu{vmid}.log"))
    vm.ensure_running()
    return vm


def boards_of(pi, count=BOARDS):
    from lab.gadget import Gadget
    return [Gadget(name=f"board{number}", serial=f"{pi.role}-{number}", socket=number) for number in range(count)]


def make(pis):
    for pi in pis:
        for board in boards_of(pi):
            pi.run(board.plug_script().rpartition("echo dummy_udc")[0])


def come_and_go(observer, longcord, vms, pis, count):
    """`count` 1: of the first Pi alone."""
    from concurrent.futures import ThreadPoolExecutor
    lab = longcord.lab
    taking_part = list(pis.items())[:1 if count == 1 else PIS]
    places = [f"{name}/{pi.busid(board)}" for name, pi in taking_part for board in boards_of(pi, count)]
    busy = Busy()
    observer.begin()

    def all_at_once(word):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: one[1].run("; ".join(
                f"echo {word.format(board.socket)} >/sys/kernel/config/usb_gadget/{board.name}/UDC"
                for board in boards_of(one[1], count))), taking_part))
    all_at_once("dummy_udc.{}")
    for place in places:
        longcord.wait_state(place, "plugged", 120)
    lab.wait(lambda: sum(len(vm.guest.sees("tty")) for vm in vms) == len(places), 240, "the guests to have all ttys")
    all_at_once("")
    lab.wait(lambda: not any(vm.guest.sees("tty") or vm.plugged() for vm in vms), 120, "the guests to be empty")
    marks = observer.end(longcord)
    busy.end()
    came = [marks.first(f"{pi.role} kernel", rf"^usb {pi.busid(board)}: New USB device found")
            for _, pi in taking_part for board in boards_of(pi, count)]
    went = min(when for _, pi in taking_part for when in marks.all(f"{pi.role} kernel", r"USB disconnect", after=min(came)))
    there = [when for when in marks.all("node qemu", "^usb_port_attach", after=min(came)) if when < went]
    return {"pis": len(taking_part), "boards": len(places), "last_came_ms": ms(min(came), max(came)),
            "attached_ms": ms(min(came), max(there)), "attaches": len(there),
            "failed": len(marks.all("node events", "^failed")), "busy": busy.between(min(came), max(there)),
            "unsure_ms": observer.unsure_ms()}


def ms(begin, end):
    return round((end - begin) * 1000, 1)


class Busy:
    """How much of this machine's processors is at work, all the time."""

    def __init__(self):
        self.samples, self.on = [], True
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def sample(self):
        while self.on:
            user, nice, system, idle, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
            self.samples.append((time.monotonic(), user + nice + system, idle))
            time.sleep(SAMPLE_S)

    def end(self):
        self.on = False
        self.thread.join()

    def between(self, begin, end):
        within = [sample for sample in self.samples if begin - SAMPLE_S <= sample[0] <= end + SAMPLE_S]
        worked, idled = (within[-1][what] - within[0][what] for what in (1, 2))
        return round(worked / max(worked + idled, 1), 2)


# --- the page ---------------------------------------------------------------------------------------------------------


def page(rows):
    lines = []
    for count in (1, PIS * BOARDS):
        some = pick(rows, boards=count)
        lines.append([f"{some[0]['pis']} × {count // some[0]['pis']}", spread([row["last_came_ms"] for row in some]),
                      spread([row["attached_ms"] for row in some]), spread([100 * row["busy"] for row in some], 0, " %")])
    alone = statistics.median(row["attached_ms"] for row in pick(rows, boards=1))
    all_of_them = pick(rows, boards=PIS * BOARDS)
    ratios = [row["attached_ms"] / alone for row in all_of_them]
    return "\n\n".join([
        f"The lab of `tests/bench plug` with three more Pis, each on a cable of its own, and two VMs that get two Pis' boards "
        f"each: {PIS} emulated computers with one processor and one with two, on {CORES} processors. Times count from when the first Pi's "
        f"kernel has found the first board; {ROUNDS} rounds, one board and all of them in turn.",
        table(["ms, median (least to most), of the last board", "the Pis' kernels have it", "attached in QEMU",
               "of this machine at work meanwhile"], lines),
        "Longcord, round by round: steps that failed, and were tried again or read back: "
        f"{', '.join(str(row['failed']) for row in all_of_them)}; boards that were taken out and plugged again: "
        f"{', '.join(str(row['attaches'] - PIS * BOARDS) for row in all_of_them)}.",
        table(["target", "measured", "wanted", ""],
              [[f"the last of {PIS * BOARDS}, against one alone", spread(ratios, 2, "×"), "≤ 2×",
                verdict(statistics.median(ratios) <= 2)]])])
