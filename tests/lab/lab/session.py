# SPDX-License-Identifier: MIT
"""A lab for whoever needs one for a while: the one that `up` left running, or one that is booted now and ended then."""

import contextlib
import fcntl

from lab import bench, marks, paths
from lab.longcord import HOST_YAML, pi_yaml
from lab.progress import say, step


@contextlib.contextmanager
def lab_for_now():
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with open(paths.LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another session to leave the lab"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        lab = bench.Lab.running()
        kept = lab is not None
        if kept:
            say("using the lab that is up (tests/lab/down ends it)")
            for machine in lab.machines:
                machine.push_onboard()
        else:
            lab = bench.Lab.boot()
            kept = bench.keep_wanted()
        try:
            yield lab
        finally:
            if kept:
                lab.save()
            else:
                lab.destroy()


def install_longcord(lab):
    """As tests/stage laid it out."""
    if not (paths.STAGE / "host").is_dir():
        raise FileNotFoundError(f"{paths.STAGE} is missing: run tests/build release && tests/stage")
    lab.install(paths.STAGE / "host", paths.STAGE / "pi", host_yaml=HOST_YAML, pi_yaml=pi_yaml(*lab.nodes()))


@contextlib.contextmanager
def observed_lab(hookscript=""):
    """With Longcord, VM 100 running, its QEMU traced, and somebody who writes down when things happen."""
    with lab_for_now() as lab:
        install_longcord(lab)
        lab.reset()
        vm = lab.node.vm(100)
        if vm.running():
            vm.stop()
        vm.configure(extra=marks.VM_ARGS, hookscript=hookscript)
        try:
            vm.ensure_running()
            for machine in (lab.pi, lab.node):
                machine.run("modprobe cdc_acm")  # nothing that is measured shall be what loads it
            observer = marks.Observer(lab, vm)
            observer.start()
            yield lab, vm, observer
        finally:
            vm.configure()
