// SPDX-License-Identifier: MIT
// The page's beginning: who is there, and then everything as it is, live.
import { post, session, whenLoggedOut, whyNoStream } from "./api.js";
import { showDevices, startDevices } from "./devices.js";
import { $, block, keyed, make, outcome, say } from "./dom.js";
import { showEvent, showHistory } from "./events.js";
import { showHost } from "./host.js";
import { lookForNodes, nodesHappened, showNodes, startNodes } from "./nodes.js";
import { showSerial } from "./serial.js";

let source = null;

function live(text, how) {
  say($("live"), text);
  $("live").className = `live ${how}`;
}

function showStatus(status) {
  const name = status.name ?? status.node;
  say($("machine"), `Longcord on ${name}`);
  document.title = `${name} · Longcord`;
  say($("version"), `Longcord ${status.version}`);
  keyed($("problems"), status.problems, (text) => text, (text) => ({ element: make("p", { class: "note" }, text), update: () => {} }));
  if (status.role === "host") return showHost(status);
  showNodes(status);
  showDevices(status);
  showSerial(status);
  lookForNodes(true);
}

/** A browser has six connections to one machine, for all its tabs: who does not look keeps none. */
function pause() {
  source?.close();
  source = null;
  lookForNodes(false);
}

const isBack = () => { live("live", "good"); block(""); };

function follow() {
  pause();
  source = new EventSource("/api/stream");
  source.addEventListener("status", (event) => { isBack(); showStatus(JSON.parse(event.data)); });
  source.addEventListener("history", (event) => showHistory(JSON.parse(event.data)));
  source.addEventListener("happened", (event) => {
    const happened = JSON.parse(event.data);
    showEvent(happened);
    nodesHappened(happened);
  });
  source.addEventListener("down", (event) => {
    live(JSON.parse(event.data).message, "bad");
    block("the service is away");
  });
  source.addEventListener("error", async (event) => {
    live("no connection to the portal; trying again", "bad");
    block("the portal is away");
    // A browser gives up on a refusal, such as of a session that is over: then it is ours to ask.
    if (event.target.readyState !== EventSource.CLOSED) return;
    pause();
    const why = await whyNoStream("/api/stream");
    if (why) live(why, "bad");
    setTimeout(enter, 2000);
  });
}

let hiding = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(pause, 10_000);
  else if (shown === "ready" && !source) follow();
});

function show(view) {
  $("enter").hidden = view === "ready";
  $("login").hidden = view !== "login";
  $("setup").hidden = view !== "setup";
  $("overview").hidden = view !== "ready";
  $("nav").hidden = view !== "ready";
  if (view === "ready") return;
  pause();
  live("", "");
  $("back").hidden = !hasPassword;
  say($("enter-title"), view === "login" ? "Log in" : "Set up this portal");
  (view === "login" ? $("login-password") : $("setup-code")).focus();
}

let shown = "";
let hasPassword = false;
async function enter() {
  try {
    const { state, role } = await session();
    if (role === "host") say($("login-why"), "Log in to see this node’s Pis, VMs, rules and devices.");
    hasPassword = state !== "setup";
    if (state === "ready" || state !== shown) show(state);
    shown = state;
    if (state === "ready" && !document.hidden) follow();
  } catch (error) {
    live(error.message, "bad");
    setTimeout(enter, 2000);
  }
}

/** A form whose fields go to the portal, and what came of it. */
function form(name, told, send) {
  $(name).addEventListener("submit", async (event) => {
    event.preventDefault();
    if ($(name).working) return;
    $(name).working = true;
    outcome($(told), "…");
    try {
      const text = await send();
      outcome($(told), text ?? "", text ? "good" : "");
      $(name).reset();
    } catch (error) {
      outcome($(told), error.message, "bad");
    }
    $(name).working = false;
  });
}

form("login", "login-outcome", async () => {
  await post("/api/login", { password: $("login-password").value });
  await enter();
  $("main").focus(); // the field that had the focus is gone
});
form("setup", "setup-outcome", async () => {
  if ($("setup-password").value !== $("setup-again").value) throw new Error("The two passwords are not the same.");
  await post("/api/setup", { code: $("setup-code").value, password: $("setup-password").value });
  await enter();
  $("main").focus();
});
form("change", "change-outcome", async () => {
  await post("/api/password", { password: $("old-password").value, new: $("new-password").value });
  follow();
  return "Changed. Whoever else was logged in has to log in again.";
});
$("forgotten").addEventListener("click", () => { shown = "setup"; show("setup"); });
$("back").addEventListener("click", () => { shown = "login"; show("login"); });
$("logout").addEventListener("click", async () => {
  try {
    await post("/api/logout");
  } finally {
    await enter();
  }
});
whenLoggedOut(() => { if (shown === "ready") enter(); });
startNodes();
startDevices();
enter();
