// SPDX-License-Identifier: MIT
// The page's beginning: who is there, and then everything as it is, live.
import { post, session, whenLoggedOut } from "./api.js";
import { showDevices, startDevices } from "./devices.js";
import { $, keyed, make, outcome, say } from "./dom.js";
import { showEvent, showHistory } from "./events.js";
import { showHost } from "./host.js";
import { lookForNodes, pairingHappened, showNodes, startNodes } from "./nodes.js";
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
  lookForNodes(status);
}

function follow() {
  source?.close();
  source = new EventSource("/api/stream");
  source.addEventListener("open", () => live("live", "good"));
  source.addEventListener("status", (event) => { live("live", "good"); showStatus(JSON.parse(event.data)); });
  source.addEventListener("history", (event) => showHistory(JSON.parse(event.data)));
  source.addEventListener("happened", (event) => {
    const happened = JSON.parse(event.data);
    showEvent(happened);
    pairingHappened(happened);
  });
  source.addEventListener("down", (event) => live(JSON.parse(event.data).message, "bad"));
  source.addEventListener("error", async () => {
    live("no connection to the portal; trying again", "bad");
    // A browser gives up on a refusal, such as of a session that is over: then it is ours to ask.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(enter, 2000);
  });
}

function show(view) {
  $("enter").hidden = view === "ready";
  $("login").hidden = view !== "login";
  $("setup").hidden = view !== "setup";
  $("overview").hidden = view !== "ready";
  $("nav").hidden = view !== "ready";
  if (view === "ready") return;
  source?.close();
  live("", "");
  say($("enter-title"), view === "login" ? "Log in" : "Set up this portal");
  (view === "login" ? $("login-password") : $("setup-code")).focus();
}

let shown = "";
async function enter() {
  try {
    const { state } = await session();
    if (state === "ready" || state !== shown) show(state);
    shown = state;
    if (state === "ready") follow();
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
});
form("setup", "setup-outcome", async () => {
  if ($("setup-password").value !== $("setup-again").value) throw new Error("The two passwords are not the same.");
  await post("/api/setup", { code: $("setup-code").value, password: $("setup-password").value });
  await enter();
});
form("change", "change-outcome", async () => {
  await post("/api/password", { password: $("old-password").value, new: $("new-password").value });
  follow();
  return "Changed. Whoever else was logged in has to log in again.";
});
$("forgotten").addEventListener("click", () => { shown = "setup"; show("setup"); });
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
