// SPDX-License-Identifier: MIT
// Serial ports: where they are, who has them, and what the boards say.
import { whyNoStream } from "./api.js";
import { copy } from "./copy.js";
import { $, actionButton, keyed, make, outcome, say } from "./dom.js";
import { plainTexts } from "./text.js";

const kept = 100_000; // characters of a console
/** A browser has six connections to one machine, and each console keeps one. */
const mostConsoles = 3;
let open = 0;

/** IPv6 addresses already have their brackets in location.hostname. */
const addressOf = (port) => `rfc2217://${location.hostname}:${port.port}?ign_set_control`;

/** `ended(why)`: it was refused, and will not come back by itself. */
function openConsole(port, screen, told, ended) {
  const decoder = new TextDecoder();
  const plain = plainTexts();
  const source = new EventSource(`/api/console?name=${encodeURIComponent(port.name)}`);
  const write = (text) => {
    const atEnd = screen.scrollTop + screen.clientHeight >= screen.scrollHeight - 4;
    screen.textContent = (screen.textContent + text).slice(-kept);
    if (atEnd) screen.scrollTop = screen.scrollHeight;
  };
  source.addEventListener("begins", () => outcome(told, "Reading along. Nothing that you type is sent."));
  source.addEventListener("bytes", (event) => {
    const bytes = Uint8Array.from(atob(event.data), (c) => c.charCodeAt(0));
    write(plain(decoder.decode(bytes, { stream: true })));
  });
  source.addEventListener("lagged", () => write("\n[something is missing here: read too slowly]\n"));
  source.addEventListener("error", async () => {
    outcome(told, "The console has lost its connection; trying again …", "bad");
    if (source.readyState === EventSource.CLOSED) ended(await whyNoStream(source.url));
  });
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
  const shut = () => {
    if (close) --open;
    close?.();
    close = null;
    screen.hidden = true;
    watcher.button.setAttribute("aria-expanded", "false");
  };
  const watcher = actionButton("Console", () => {
    if (close) {
      outcome(told, "");
      shut();
    } else {
      screen.textContent = "";
      ++open;
      close = openConsole(port, screen, told, (why) => {
        shut();
        outcome(told, `The console has ended${why ? ": " + why : ""}.`, "bad");
        showWhether();
      });
      screen.hidden = false;
      watcher.button.setAttribute("aria-expanded", "true");
    }
    showWhether();
  }, `Console of ${port.name}`);
  watcher.button.classList.add("quiet");
  watcher.button.setAttribute("aria-expanded", "false");
  const refresh = () => watcher.can(close || open < mostConsoles ? "" : `${open} consoles are open already: close one`);
  const element = make("li", { class: "card port", "data-port": port.name }, title, facts, problem,
    make("p", { class: "address" }, address), make("div", { class: "controls" }, copier, watcher.element), screen, told);
  const update = (now) => {
    port = now;
    say(title, now.name);
    const words = [now.tty ?? (now.plugged ? "no terminal: no driver of this machine has made one" : "not plugged in"), `${now.baud} baud`, now.mode,
      now.owner ? `owned by ${now.owner}` : "nobody has it"];
    if (now.observers > 0) words.push(`${now.observers} read along`);
    say(facts, words.join(" · "));
    say(problem, now.problem);
    problem.hidden = !now.problem;
    say(address, addressOf(now));
    refresh();
  };
  return { element, update, refresh, gone: shut };
}

/** What can be opened depends on what is open elsewhere on the page. */
function showWhether() {
  for (const part of $("port-list").parts.values()) part.refresh();
}

export function showSerial(status) {
  $("serial-none").hidden = status.serial_ports.length > 0;
  const plugged = new Set(status.devices.flatMap((device) => device.serial_ports.map((port) => port.name)));
  const ports = status.serial_ports.map((port) => ({ ...port, plugged: plugged.has(port.name) }));
  keyed($("port-list"), ports, (port) => port.name, portCard);
}
