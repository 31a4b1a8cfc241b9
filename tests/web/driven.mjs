// SPDX-License-Identifier: MIT
// The portal of a real machine in a real browser, told what to do by a scenario of the lab:
//   node driven.mjs URL      one JSON object a line on stdin, one on stdout for each.
import { createInterface } from "node:readline";
import { button, closePage, device, openPage, password, picture, startBrowser } from "./world.mjs";

const browser = await startBrowser();
const page = await openPage(browser, { url: process.argv[2] });

const does = {
  async set_up({ code }) {
    await page.fill("#setup-code", code);
    await page.fill("#setup-password", password);
    await page.fill("#setup-again", password);
    await page.click("#setup button[type=submit]");
    await page.waitForSelector("#live.good");
  },
  // What a card says must come to hold these words, without anybody loading the page again.
  async see({ place, text }) {
    await device(page, place).getByText(text).first().waitFor();
  },
  async see_gone({ place }) {
    await device(page, place).waitFor({ state: "detached" });
  },
  async set_mode({ place, mode }) {
    await device(page, place).getByRole("combobox").selectOption(mode);
    await button(device(page, place), `Set the mode of ${place}`).click();
    await device(page, place).getByText(`The mode is “${mode}” from now on.`).waitFor();
  },
  async address({ place }) {
    return { address: await page.locator(`[data-port="${place}"] code`).textContent() };
  },
  async press({ place, name }) {
    await button(device(page, place), name).click();
  },
  async pair({ token }) {
    await page.fill("#token", token);
    await button(page, "Pair").click();
    await page.getByText(/^Paired: /).waitFor();
    return { outcome: await page.locator("#join-outcome").textContent() };
  },
  async nodes() {
    return { nodes: await page.locator(".node h3").allTextContents() };
  },
  /** A node that announces itself, and what the page says is to be typed there. */
  async find({ node }) {
    const found = page.locator("#discovered-list li").filter({ hasText: node });
    await found.waitFor();
    await button(found, `Pair with ${node}`).click();
    return { text: await found.locator("span").textContent(), command: await found.locator("code").textContent() };
  },
  async picture({ name }) {
    await picture(page, name);
  },
};

page.setDefaultTimeout(90_000); // a machine behind it is emulated
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...values } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await does[what](values)) };
  } catch (error) {
    answer = { ok: false, error: `${what} ${JSON.stringify(values)}: ${error.message}` };
    await picture(page, "failed");
  }
  console.log(JSON.stringify(answer));
}
await closePage(page);
await browser.close();
