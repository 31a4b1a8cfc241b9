// SPDX-License-Identifier: MIT
// Serial ports: where they are, who has them, and what the boards say.
import { copy } from "./copy.js";
import { $, keyed, make, outcome, say } from "./dom.js";
import { plainText } from "./text.js";

const kept = 100_000; // characters of a console

/** IPv6 addresses already have their brackets in location.hostname. */
const addressOf = (port) => `rfc2217://${location.hostname}:${port.port}?ign_set_control`;

function openConsole(port, screen, told) {
  const decoder = new TextDecoder();
  const source = new EventSource(`/api/console?name=${encodeURIComponent(port.name)}`);
  const write = (text) => {
    const atEnd = screen.scrollTop + screen.clientHeight >= screen.scrollHeight - 4;
    screen.textContent = (screen.textContent + text).slice(-kept);
    if (atEnd) screen.scrollTop = screen.scrollHeight;
  };
  source.addEventListener("begins", () => outcome(told, "Reading along. Nothing that you type is sent."));
  source.addEventListener("bytes", (event) => {
    const bytes = Uint8Array.from(atob(event.data), (c) => c.charCodeAt(0));
    write(plainText(decoder.decode(bytes, { stream: true })));
  });
  source.addEventListener("lagged", () => write("\n[something is missing here: read too slowly]\n"));
  source.addEventListener("error", () => outcome(told, "The console has lost its connection; trying again …", "bad"));
  return () => source.close();
}

function portCard(first) {
  let port = first;
  let close = null;
  const title = make("h3");
  const facts = make("p", { class: "facts" });
  const problem = make("p", { class: "note bad" });
  const address = make("code");
  const told = make("p", { role: "status", class: "outcome" });
  const screen = make("pre", { class: "console", tabindex: "0", role: "region", "aria-label": `Console of ${port.name}`, hidden: "" });
  const copier = make("button", {
    type: "button", class: "quiet", "aria-label": `Copy the address of ${port.name}`,
    onclick: async () => {
      const done = await copy(addressOf(port));
      outcome(told, done ? "Copied." : "It could not be copied: mark the address and copy it by hand.", done ? "good" : "bad");
    },
  }, "Copy");
  const watcher = make("button", {
    type: "button", class: "quiet", "aria-expanded": "false", "aria-label": `Console of ${port.name}`,
    onclick: () => {
      if (close) {
        close();
        close = null;
        outcome(told, "");
      } else {
        screen.textContent = "";
        close = openConsole(port, screen, told);
      }
      screen.hidden = !close;
      watcher.setAttribute("aria-expanded", String(!!close));
    },
  }, "Console");
  const element = make("li", { class: "card port", "data-port": port.name }, title, facts, problem,
    make("div", { class: "address" }, address, copier), watcher, screen, told);
  const update = (now) => {
    port = now;
    say(title, now.name);
    const words = [now.tty ?? "not plugged in", `${now.baud} baud`, now.mode,
      now.owner ? `owned by ${now.owner}` : "nobody has it"];
    if (now.observers > 0) words.push(`${now.observers} read along`);
    say(facts, words.join(" · "));
    say(problem, now.problem);
    problem.hidden = !now.problem;
    say(address, addressOf(now));
  };
  return { element, update };
}

export function showSerial(status) {
  $("serial-none").hidden = status.serial_ports.length > 0;
  keyed($("port-list"), status.serial_ports, (port) => port.name, portCard);
}
