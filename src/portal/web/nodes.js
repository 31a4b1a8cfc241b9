// SPDX-License-Identifier: MIT
// The nodes that this machine is linked with: testing, pairing, unpairing.
import { get, post } from "./api.js";
import { $, actionButton, guard, keyed, make, outcome, say, setWhy } from "./dom.js";
import { ago, milliseconds } from "./text.js";

let joining = false;

function step(list, text, how) {
  list.append(make("li", { class: how }, text));
}

async function test(link, card) {
  card.steps.replaceChildren();
  outcome(card.outcome, "Testing …");
  card.testing = true;
  try {
    const done = await post("/api/test", { node: link.host });
    card.steps.replaceChildren();
    for (const each of done.steps)
      step(card.steps, `${each.step}: ${each.detail}${each.took_ms === null ? "" : ` (${each.took_ms} ms)`}`,
        each.ok === null ? "open" : each.ok ? "good" : "bad");
    outcome(card.outcome, done.ok ? "The connection works." : "The connection does not work.", done.ok ? "good" : "bad");
  } catch (error) {
    outcome(card.outcome, error.message, "bad");
  }
  card.testing = false;
}

async function leave(link, card) {
  const name = link.node ?? link.host;
  if (!window.confirm(`Unpair from ${name}, and from all nodes of its cluster? Their VMs lose this machine's devices.`))
    return;
  outcome(card.outcome, "Unpairing …");
  try {
    const done = await post("/api/leave", { node: link.node ?? link.host.replace(/:\d+$/, "") });
    const text = done.told
      ? `Unpaired; ${done.told} has forgotten this machine.`
      : `Unpaired here. No node could be told: run there "longcord unpair ${done.pi}".`;
    outcome($("join-outcome"), text, done.told ? "good" : "");
  } catch (error) {
    outcome(card.outcome, error.message, "bad");
  }
}

function nodeCard(first) {
  let link = first;
  const card = {
    title: make("h3"),
    facts: make("p", { class: "facts" }),
    problem: make("p"),
    steps: make("ol", { class: "steps" }),
    outcome: make("p", { role: "status", class: "outcome" }),
  };
  const name = () => link.node ?? link.host;
  const tester = actionButton("Test the connection", () => test(link, card), `Test the connection to ${name()}`);
  const leaver = actionButton("Unpair", () => leave(link, card), `Unpair from ${name()}`);
  const element = make("li", { class: "card node" }, card.title, card.facts, card.problem,
    make("div", { class: "controls" }, tester.element, leaver.element), card.steps, card.outcome);
  const update = (now) => {
    link = now;
    say(card.title, name());
    const facts = [now.host];
    if (now.linked) facts.push(`linked for ${ago(now.since_s)}`);
    if (now.linked && now.rtt_ms !== null) facts.push(`round trip ${milliseconds(now.rtt_ms)}`);
    say(card.facts, facts.join(" · "));
    card.problem.className = now.linked ? "" : "note bad";
    say(card.problem, now.linked ? now.problem : "Not linked: " + now.problem);
    card.problem.hidden = !card.problem.textContent;
    leaver.can(now.joined ? "" : "it stands in pi.yaml: take it out there");
  };
  /** Steps of a test come as events while it is under way, and once more, all of them, at its end. */
  const happened = (event) => {
    const of = `test of ${name()}: `;
    if (card.testing && event.kind === "testing" && event.message.startsWith(of))
      step(card.steps, event.message.slice(of.length), "open");
  };
  return { element, update, happened };
}

function showDiscovered(found, machine, why) {
  say($("discovered-none"), found.length > 0 ? "" : why);
  keyed($("discovered-list"), found, (node) => `${node.name} ${node.address} ${node.port}`, () => {
    const text = make("span");
    const told = make("code");
    const hint = make("p", { hidden: "" }, "Run there, as root: ", told, " and paste below what it prints.");
    const button = make("button", { type: "button", class: "quiet", onclick: () => { hint.hidden = false; $("token").focus(); } }, "Pair with it");
    const element = make("li", {}, text, " ", button, hint);
    return {
      element,
      update: (node) => {
        say(text, `${node.name} at ${node.address}, port ${node.port}`);
        button.setAttribute("aria-label", `Pair with ${node.name}`);
        say(told, `longcord pair ${machine}`);
      },
    };
  });
}

/** A name that a node takes: lower case, digits and hyphens. */
const pairingName = (name) =>
  (name.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^[^a-z]+/, "").slice(0, 31)) || "pi";

async function lookAround() {
  try {
    const { nodes } = await get("/api/discovered");
    showDiscovered(nodes, machine, "None. A node is found where “discovery: true” stands in its /etc/longcord/host.yaml.");
  } catch (error) {
    showDiscovered([], machine, `It cannot be told: ${error.message}`);
  }
}

let machine = "";
let looking = null;

export function showNodes(status) {
  keyed($("node-list"), status.links, (link) => link.host, nodeCard);
  machine = pairingName(status.name);
  say($("pair-command"), `longcord pair ${machine}`);
}

/** Whoever announces itself makes no event: it is asked again and again, while somebody looks. */
export function lookForNodes(wanted) {
  if (wanted && !looking) {
    lookAround();
    looking = setInterval(lookAround, 10_000);
  } else if (!wanted) {
    clearInterval(looking);
    looking = null;
  }
}

/** Steps of a pairing, and of a test, come as events while it is under way. */
export function nodesHappened(event) {
  for (const part of $("node-list").parts?.values() ?? []) part.happened?.(event);
  if (joining && ["joining", "joined", "linked"].includes(event.kind))
    step($("join-steps"), event.message, event.kind === "joining" ? "open" : "good");
}

async function join() {
  if (joining) return;
  joining = true;
  // The whole line may be pasted, as it was printed.
  const token = $("token").value.trim().replace(/^(sudo\s+)?longcord\s+join\s+/, "").replace(/\s+/g, "");
  $("join-steps").replaceChildren();
  outcome($("join-outcome"), "Pairing …");
  try {
    const done = await post("/api/join", { token });
    outcome($("join-outcome"), done.linked
      ? `Paired: this machine is “${done.pi}” of ${done.node}.`
      : `Paired as “${done.pi}” of ${done.node}; not linked yet.`, done.linked ? "good" : "");
    $("token").value = "";
  } catch (error) {
    outcome($("join-outcome"), error.message, "bad");
  }
  joining = false;
  showWhether();
}

const showWhether = () =>
  setWhy($("pair-button"), $("pair-why"), $("token").value.trim() ? "" : "paste a token first");

export function startNodes() {
  // The form is what Enter submits; the button knows whether it can.
  $("join").addEventListener("submit", (event) => event.preventDefault());
  guard($("pair-button"), $("pair-why"), join);
  $("token").addEventListener("input", showWhether);
  showWhether();
}
