// SPDX-License-Identifier: MIT
// Values in words. Nothing here knows the page.

export function ago(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

export const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms";

/** Where a device is now, or why not. */
export function whereIs(device) {
  if (device.hub) return "hub";
  if (device.state === "plugged")
    return `in VM ${device.vmid}${device.vm ? ` (${device.vm})` : ""} on ${device.node}`;
  if (device.mode === "serial" && device.serial_ports.length > 0) {
    const served = "served on TCP port " + device.serial_ports.map((port) => port.port).join(", ");
    const mute = device.serial_ports.every((port) => port.tty === null);
    return mute ? `${served}, but it has no terminal: no driver of this machine has made one` : served;
  }
  if (device.state) {
    const whom = device.vmid ? ` for VM ${device.vmid}${device.vm ? ` (${device.vm})` : ""}` : "";
    return `${device.state.replace("_", " ")}${whom}${device.why ? ": " + device.why : ""}`;
  }
  if (device.exported) return `with the nodes: ${device.why}`;
  return `stays here: ${device.why}`;
}

export function howIs(device) {
  if (device.state === "plugged" || device.serial_ports.some((port) => port.present)) return "plugged";
  if (["conflict", "refused", "held_off"].includes(device.state)) return "trouble";
  return "";
}

export const nameOf = (device) => device.product || (device.hub ? "USB hub" : "USB device");

export const modeWords = { usbip: "for VMs", serial: "serial port", off: "off" };

/**
 * The machine's sockets as a tree: buses, and on each its ports, with what is plugged in. `hubs` says
 * how many ports there are.
 */
export function treeOf(status) {
  const ports = new Map((status.hubs ?? []).map((hub) => [hub.name, hub.ports]));
  const buses = new Map();
  const busOf = (name, controller) => {
    if (!buses.has(name))
      buses.set(name, { key: name, name, controller, ports: ports.get(name) ?? 0, children: [] });
    return buses.get(name);
  };
  for (const hub of status.hubs ?? [])
    if (hub.name.startsWith("usb")) busOf(hub.name, hub.controller ?? "");
  const placed = new Map();
  for (const device of status.devices) {
    const node = { key: device.place, device, ports: ports.get(device.place) ?? 0, children: [] };
    placed.set(device.place, node);
    const dot = device.place.lastIndexOf(".");
    const dash = device.place.indexOf("-");
    const above = dot > 0 ? placed.get(device.place.slice(0, dot)) : undefined;
    (above ?? busOf("usb" + device.place.slice(0, dash), device.controller)).children.push(node);
  }
  const number = (bus) => Number(bus.name.slice(3));
  return [...buses.values()].sort((one, other) => number(one) - number(other));
}

/** The numbers of the ports of a hub where nothing is plugged in. */
export function emptyPorts(node) {
  const taken = new Set(node.children.map((child) => Number(child.device.place.split(/[.-]/).pop())));
  const empty = [];
  for (let port = 1; port <= node.ports; ++port) if (!taken.has(port)) empty.push(port);
  return empty;
}

/** With its date where that is not today's. */
export function timeOf(text, now = new Date()) {
  const time = new Date(text);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (time.toDateString() === now.toDateString()) return clock;
  return `${time.toLocaleDateString([], { month: "short", day: "numeric" })}, ${clock}`;
}

// What moves a terminal's cursor or sets its title (ECMA-48, 5.4, 5.6), and what turns text round.
const sequences = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;
const unseen = /[^\n\t\x20-\x7e\u00a0-\uffff]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const unfinished = /(?:\r|\x1b(?:\[[0-9;?]*[ -/]*|\][^\x07\x1b]*\x1b?)?)$/;

/**
 * A function that takes what a board says, piece by piece as it comes, and returns what can be shown
 * of it. What a piece ends within is kept for the next one.
 */
export function plainTexts() {
  let rest = "";
  return (piece) => {
    const text = rest + piece;
    const end = text.slice(-256).match(unfinished)?.[0] ?? "";
    rest = end;
    return text.slice(0, text.length - end.length).replace(sequences, "").replace(/\r\n?/g, "\n").replace(unseen, "");
  };
}
