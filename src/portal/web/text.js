// SPDX-License-Identifier: MIT
// Values in words. Nothing here knows the page.

export function ago(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms";

/** Where a device is now, or why not. */
export function whereIs(device) {
  if (device.hub) return "hub";
  if (device.state === "plugged")
    return `in VM ${device.vmid}${device.vm ? ` (${device.vm})` : ""} on ${device.node}`;
  if (device.mode === "serial" && device.serial_ports.length > 0)
    return "served on TCP port " + device.serial_ports.map((port) => port.port).join(", ");
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

export const timeOf = (text) =>
  new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** What a board says, without what would move a terminal's cursor. */
export const plainText = (text) =>
  text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/\r\n?/g, "\n").replace(/[^\n\t\x20-\x7e\u00a0-\uffff]/g, "");
