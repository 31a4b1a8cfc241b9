// SPDX-License-Identifier: MIT
// The portal of a node: Pis, VMs and devices in one view, and for each device which rule decides. It
// shows, and changes nothing.
import { get } from "./api.js";
import { $, actionButton, keyed, make, outcome, say } from "./dom.js";
import { ago, count, milliseconds } from "./text.js";

function card(kind) {
  const parts = { title: make("h3"), facts: make("p", { class: "facts" }), problem: make("p", { class: "note bad" }) };
  const element = make("li", { class: `card ${kind}` }, parts.title, parts.facts, parts.problem);
  const show = (title, facts, problem) => {
    say(parts.title, title);
    say(parts.facts, facts.filter((each) => each).join(" · "));
    say(parts.problem, problem);
    parts.problem.hidden = !problem;
  };
  return { element, show };
}

function piCard() {
  const { element, show } = card("node");
  return {
    element,
    update: (pi) => show(pi.name, [
      pi.address, pi.linked ? `linked${pi.since_s === null ? "" : ` for ${ago(pi.since_s)}`}` : "not linked",
      pi.linked && pi.rtt_ms !== null ? `round trip ${milliseconds(pi.rtt_ms)}` : "",
      count(pi.devices, "device"), pi.plain ? "a plain USB/IP server: not encrypted" : ""], pi.problem),
  };
}

const nameOf = (vm) => `${vm.machine ?? `VM ${vm.vmid}`}${vm.name ? ` (${vm.name})` : ""}`;
let vmNames = new Map();

function ruleLine() {
  const line = make("span", { class: "dim" });
  const text = make("code");
  return {
    element: make("li", {}, line, " ", text),
    update: (rule) => { say(line, `line ${rule.line}`); say(text, rule.rule); },
  };
}

function vmCard() {
  const { element, show } = card("vm");
  const title = make("h4", {}, "Rules");
  const list = make("ul", { class: "plain" });
  element.append(title, list);
  return {
    element,
    update: (vm) => {
      show(nameOf(vm), [vm.state, count(vm.plugged, "device") + " plugged"], vm.problem);
      say(title, vm.rules.length > 0 ? "Rules" : "No rules in force");
      keyed(list, vm.rules, (rule) => rule.line, ruleLine);
    },
  };
}

async function explain(place, list, told) {
  try {
    const why = await get(`/api/explain?place=${encodeURIComponent(place)}`);
    list.replaceChildren(...why.rules.map((rule) => make("li", {
      class: rule.verdict === "matches" ? "good" : rule.verdict.startsWith("denie") ? "bad" : "open" },
    `${rule.machine ?? `VM ${rule.vmid}`}, line ${rule.line}: ${rule.rule}: ${rule.verdict}, ${rule.reason}`)));
    outcome(told, [why.outcome, why.next].filter((each) => each).join("\n"));
  } catch (error) {
    outcome(told, error.message, "bad");
  }
}

function deviceCard(first) {
  let device = first;
  const product = make("bdi");
  const chip = make("span", { class: "chip mono" });
  const facts = make("p", { class: "facts" });
  const where = make("p", { class: "where" });
  const rules = make("ol", { class: "steps" });
  const told = make("p", { role: "status", class: "outcome" });
  const why = actionButton("Explain", () => explain(device.place, rules, told), `Explain ${device.place}`);
  const box = make("div", { class: "card device", "data-place": device.place }, make("h4", {}, product, chip), facts, where, why.element, rules, told);
  const update = (now) => {
    device = now;
    say(product, device.product || (device.hub ? "USB hub" : "USB device"));
    say(chip, device.place);
    say(facts, [device.id, device.serial && `serial ${device.serial}`, device.manufacturer, device.speed].filter((each) => each).join(" · "));
    const whom = device.vmid === null ? "" : vmNames.get(device.vmid) ?? device.machine ?? `VM ${device.vmid}`;
    const plugged = device.state === "plugged" && `plugged into ${whom}${device.guest_port ? `, port ${device.guest_port}` : ""}`;
    const stands = plugged || `${device.state.replace("_", " ")}${whom ? `, ${whom}` : ""}`;
    say(where, `${stands}${device.why ? `: ${device.why}` : ""}`);
    const trouble = ["conflict", "refused", "held_off"].includes(device.state);
    box.className = `card device ${device.state === "plugged" ? "plugged" : trouble ? "trouble" : ""}`;
  };
  return { element: make("li", {}, box), update };
}

export function showHost(status) {
  for (const id of ["pair", "all-actions", "serial"]) $(id).hidden = true;
  for (const link of document.querySelectorAll('nav a[href="#serial"]')) link.hidden = true;
  say($("nodes-title"), "Pis, VMs and their rules");
  say(document.querySelector('nav a[href="#nodes"]'), "Pis and VMs");
  keyed($("node-list"), [
    ...status.pis.map((pi) => ({ key: `pi ${pi.name}`, make: piCard, of: pi })),
    ...status.vms.map((vm) => ({ key: `vm ${vm.vmid}`, make: vmCard, of: vm })),
  ], (item) => item.key, (item) => {
    const part = item.make();
    return { element: part.element, update: (now) => part.update(now.of) };
  });
  vmNames = new Map(status.vms.map((vm) => [vm.vmid, nameOf(vm)]));
  $("tree").classList.add("tree");
  keyed($("tree"), status.devices, (device) => device.place, deviceCard);
}
