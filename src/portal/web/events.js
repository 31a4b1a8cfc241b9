// SPDX-License-Identifier: MIT
// What happened, the newest first.
import { post } from "./api.js";
import { $, actionButton, make, outcome, say } from "./dom.js";
import { timeOf } from "./text.js";

const shown = 200;
let last = 0;

/** Lets in whom a serial port of this Pi has refused; again, and it is taken back. */
function allowButton(address) {
  const told = make("span", { role: "status", class: "outcome" });
  let allowed = false;
  const allow = actionButton("Allow this address", async () => {
    try {
      await post("/api/serial-allow", { address, remove: allowed });
      allowed = !allowed;
      outcome(told, allowed ? `${address} may open the serial ports from now on.` : `${address} is not let in any more.`, "good");
      name();
    } catch (error) {
      outcome(told, error.message, "bad");
    }
  });
  const name = () => {
    const label = allowed ? "Take that back" : "Allow this address";
    say(allow.button, label);
    allow.button.setAttribute("aria-label", `${label}: ${address}`);
  };
  name();
  return [allow.element, told];
}

function line(event) {
  // Of a node's offers host.yaml says who may: those events are of a Pi that is named.
  const here = event.kind === "serial-refused" && event.address && event.pi === null;
  return make("li", {},
    make("time", { datetime: event.time, class: "dim" }, timeOf(event.time)),
    make("span", { class: "kind" }, event.kind),
    make("span", { class: "mono" }, event.place ?? ""),
    make("bdi", {}, event.message + (event.took_ms === null ? "" : ` (${event.took_ms} ms)`)),
    ...(here ? allowButton(event.address) : []));
}

export function showHistory(events) {
  $("event-list").replaceChildren();
  last = 0;
  for (const event of events) showEvent(event);
}

export function showEvent(event) {
  if (event.seq <= last) return; // it was in the history already
  last = event.seq;
  const list = $("event-list");
  list.prepend(line(event));
  while (list.childElementCount > shown) list.lastElementChild.remove();
}
