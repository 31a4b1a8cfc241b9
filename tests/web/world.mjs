// SPDX-License-Identifier: MIT
// The machines behind the page (world.py) and a browser in front of it.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const reports = join(here, "../../build/reports/web");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const password = "correct horse battery";

export class World {
  static async start() {
    const world = new World();
    world.process = spawn("/usr/bin/python3", ["-B", join(here, "world.py")], { stdio: ["pipe", "pipe", "inherit"] });
    world.waiting = [];
    createInterface({ input: world.process.stdout }).on("line", (line) => world.waiting.shift()?.(line));
    world.ended = new Promise((resolve) => world.process.on("exit", (code) => {
      for (const each of world.waiting) each('{"ok":false,"error":"the world has ended"}');
      resolve(code);
    }));
    world.url = (await world.do("where")).url;
    return world;
  }

  async do(what, values = {}) {
    const line = await new Promise((resolve) => {
      this.waiting.push(resolve);
      this.process.stdin.write(JSON.stringify({ do: what, ...values }) + "\n");
    });
    const answer = JSON.parse(line);
    assert.ok(answer.ok, answer.error);
    return answer;
  }

  async end() {
    this.process.stdin.end();
    assert.equal(await this.ended, 0, "what is behind the page ended well");
  }
}

export const startBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--no-proxy-server", "--disable-gpu"] });

/** A page whose every request and every complaint is kept. */
export async function openPage(browser, world, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.elsewhere = [];
  page.complaints = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(world.url + "/")) page.elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    // A refused login is answered 401, and the browser's console says so.
    const refused = /status of (4|5)\d\d|ERR_/.test(message.text());
    if (message.type() === "error" && !refused) page.complaints.push(message.text());
  });
  page.on("dialog", (dialog) => { page.asked = dialog.message(); dialog.accept(); });
  await page.goto(world.url);
  return page;
}

export async function logIn(page) {
  await page.fill("#login-password", password);
  await page.click("#login button[type=submit]");
  await page.waitForSelector("#live.good");
}

export async function closePage(page) {
  assert.deepEqual(page.elsewhere, [], "the page asks nobody else");
  assert.deepEqual(page.complaints, [], "nothing goes wrong in the page, and its policy forbids nothing that it does");
  await page.context().close();
}

export async function picture(page, name) {
  mkdirSync(reports, { recursive: true });
  await page.screenshot({ path: join(reports, name + ".png"), fullPage: true });
}

/** Serious faults of accessibility, as axe-core finds them. */
export async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** Until `condition()` is true: for what does not show in the page. */
export async function until(condition, what) {
  const end = Date.now() + 30_000; // only a broken program needs so long
  while (!(await condition())) {
    assert.ok(Date.now() < end, `waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const device = (page, place) => page.locator(`[data-place="${place}"]`);
export const button = (scope, name) => scope.getByRole("button", { name, exact: true });
