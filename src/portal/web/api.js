// SPDX-License-Identifier: MIT
// What the portal can be asked; docs/portal-api.md is the whole of it.

let csrf = null;
let onLoggedOut = () => {};

export const whenLoggedOut = (handle) => (onLoggedOut = handle);

export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `the portal answered ${status}`);
    this.status = status;
    this.kind = error?.kind ?? "system";
  }
}

async function read(response) {
  const text = await response.text();
  let value = {};
  try {
    value = JSON.parse(text);
  } catch {
    // A portal that answers no JSON has failed; its status says so.
  }
  if (response.ok) return value;
  const refused = new Refused(response.status, value.error);
  if (response.status === 401 && response.url.indexOf("/api/login") < 0) onLoggedOut();
  throw refused;
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Refused(0, { kind: "unavailable", message: "the portal cannot be reached" });
  }
  return read(response);
}

/** Why a stream of events was refused, which a browser does not tell; "" where it would be given. */
export async function whyNoStream(path) {
  const stop = new AbortController();
  try {
    const response = await fetch(path, { signal: stop.signal, credentials: "same-origin", cache: "no-store" });
    return response.ok ? "" : ((await response.json()).error?.message ?? "");
  } catch {
    return ""; // the portal is away, and tells nothing
  } finally {
    stop.abort();
  }
}

export const get = (path) => reach(path, {});

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  return take(await reach(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** Keeps the token that changes need. */
function take(value) {
  if (typeof value.csrf === "string") csrf = value.csrf;
  return value;
}

export const session = async () => take(await get("/api/session"));
