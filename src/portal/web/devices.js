// SPDX-License-Identifier: MIT
// Every device, where it is plugged in and where it is now.
import { post } from "./api.js";
import { $, actionButton, guard, keyed, make, outcome, say, setWhy } from "./dom.js";
import { count, emptyPorts, howIs, modeWords, nameOf, treeOf, whereIs } from "./text.js";

function whyNotMode(device, wanted) {
  if (device.stays && wanted !== "off" && wanted !== "default") return `it stays on this machine: ${device.stays}`;
  if (wanted === device.mode) return `its mode is “${modeWords[wanted]}” already`;
  return "";
}

function whyNotDetach(device) {
  if (device.paused) return "it is disconnected already";
  if (device.mode === "serial") return "it is served as a serial port: set another mode";
  if (!device.exported) return `it is with no node: ${device.why}`;
  return "";
}

const whyNotResume = (device) => (device.paused ? "" : "it was not disconnected by hand");

async function act(path, body, place, told, words) {
  outcome(told, "Under way …");
  try {
    const done = await post(path, body);
    outcome(told, words(done), "good");
  } catch (error) {
    outcome(told, error.message, "bad");
  }
}

function deviceCard(first) {
  let device = first.device;
  const title = make("h4");
  const product = make("bdi");
  const place = make("span", { class: "chip mono" });
  const chip = make("span", { class: "chip" });
  title.append(product, place, chip);
  const facts = make("p", { class: "facts" });
  const where = make("p", { class: "where" });
  const told = make("p", { role: "status", class: "outcome" });
  const children = make("ul");
  const empty = make("p", { class: "facts" });

  const select = make("select", { "aria-label": `Mode of ${device.place}` });
  for (const [value, text] of [["usbip", "for VMs (usbip)"], ["serial", "serial port (serial)"], ["off", "this machine’s own (off)"], ["default", "as pi.yaml has it"]])
    select.append(make("option", { value }, text));
  const setter = actionButton("Set mode", () =>
    act("/api/mode", { place: device.place, mode: select.value }, device.place, told,
      (done) => `The mode is “${done.mode}” from now on.`), `Set the mode of ${device.place}`);
  const refresh = () => setter.can(whyNotMode(device, select.value));
  select.addEventListener("change", () => { select.chosen = true; refresh(); });
  const detacher = actionButton("Disconnect", () =>
    act("/api/detach", { place: device.place }, device.place, told, () => "Disconnected, until you connect it again."),
    `Disconnect ${device.place}`);
  const resumer = actionButton("Connect again", () =>
    act("/api/resume", { place: device.place }, device.place, told, (done) => {
      const after = done.places.find((each) => each.place === device.place);
      return after && !after.exported ? `It may be connected again; now: ${after.why}` : "Connected again.";
    }), `Connect ${device.place} again`);
  const controls = make("div", { class: "controls" },
    make("div", { class: "set" }, select, setter.element), detacher.element, resumer.element);
  const card = make("div", { class: "card device", "data-place": device.place }, title, facts, where, controls, told);
  const element = make("li", {}, card, children, empty);

  const update = (node) => {
    device = node.device;
    say(product, nameOf(device));
    say(place, device.place);
    say(chip, device.hub ? "hub" : device.paused ? "disconnected" : modeWords[device.mode] ?? device.mode);
    const words = [device.id];
    if (device.serial) words.push(`serial ${device.serial}`);
    if (device.manufacturer) words.push(device.manufacturer);
    words.push(device.speed);
    say(facts, words.join(" · "));
    say(where, device.hub ? `${node.ports || "?"} ports` : whereIs(device));
    card.className = `card device ${device.hub ? "hub" : howIs(device)}`;
    controls.hidden = device.hub;
    if (!select.chosen || select.value === device.mode) {
      select.value = device.mode;
      select.chosen = false;
    }
    refresh();
    detacher.can(whyNotDetach(device));
    resumer.can(whyNotResume(device));
    showPorts(children, empty, node);
  };
  return { element, update };
}

function showPorts(list, empty, node) {
  keyed(list, node.children, (child) => child.key, deviceCard);
  list.hidden = node.children.length === 0;
  const free = emptyPorts(node);
  say(empty, free.length === 0 ? "" : `${free.length === 1 ? "Port" : "Ports"} ${free.join(", ")}: empty`);
  empty.hidden = free.length === 0;
}

function busCard(first) {
  const name = make("span");
  const controller = make("small");
  const title = make("h3", {}, name, " ", controller);
  const list = make("ul", { class: "tree" });
  const empty = make("p", { class: "facts" });
  const element = make("li", { class: "bus" }, title, list, empty);
  const update = (bus) => {
    say(name, bus.name);
    say(controller, bus.controller);
    showPorts(list, empty, bus);
  };
  update(first);
  return { element, update };
}

function showAll(status) {
  const out = status.devices.some((device) => device.exported && !device.hub);
  const paused = status.devices.some((device) => device.paused);
  setWhy($("detach-all"), $("detach-all-why"), out ? "" : "no device is with a node now");
  setWhy($("attach-all"), $("attach-all-why"), paused ? "" : "no device was disconnected by hand");
}

export function showDevices(status) {
  keyed($("tree"), treeOf(status), (bus) => bus.key, busCard);
  showAll(status);
}

export function startDevices() {
  const all = (path, words) => () => act(path, { all: true }, "", $("all-outcome"), words);
  const many = (done) => count(done.places.length, "device");
  guard($("detach-all"), $("detach-all-why"), all("/api/detach", (done) => `${many(done)} disconnected, until you connect them again.`));
  guard($("attach-all"), $("attach-all-why"), all("/api/resume", (done) => `${many(done)} may be connected again.`));
}
