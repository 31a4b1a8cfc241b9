// SPDX-License-Identifier: MIT
// The portal as a person meets it, in Debian's chromium, by http at an address that is not loopback.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  World, button, closePage, device, faults, logIn, openPage, password, picture, startBrowser, until,
} from "./world.mjs";

let world, browser;

before(async () => {
  world = await World.start();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await world?.end();
});

/** A page that is logged in. */
async function inside(options) {
  const page = await openPage(browser, world, options);
  await logIn(page);
  return page;
}

test("whoever has the machine's code sets the password, and is in", async () => {
  const page = await openPage(browser, world);
  assert.equal(await page.evaluate(() => window.isSecureContext), false);
  await page.getByRole("heading", { name: "Set up this portal" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "setup-code");
  assert.deepEqual(await faults(page), []);
  await picture(page, "setup");
  const fill = async (code, first, again) => {
    await page.fill("#setup-code", code);
    await page.fill("#setup-password", first);
    await page.fill("#setup-again", again);
    await page.click("#setup button[type=submit]");
  };
  const { code } = await world.do("code");
  await fill(code, password, password + "x");
  await page.getByText("The two passwords are not the same.").waitFor();
  await fill("AAAA-AAAA", password, password);
  await page.getByText("this is not the setup code").waitFor();
  await fill(code, password, password);
  await page.getByRole("heading", { name: "Devices" }).waitFor();
  await page.waitForSelector("#live.good");
  await closePage(page);
});

test("the password lets in, another one does not, and logging out ends it", async () => {
  const page = await openPage(browser, world);
  await page.fill("#login-password", "wrong horse");
  await page.keyboard.press("Enter");
  await page.getByText("this is not the password").waitFor();
  assert.deepEqual(await faults(page), []);
  await picture(page, "login");
  await logIn(page);
  await page.reload(); // the session is a cookie
  await page.waitForSelector("#live.good");
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads it");
  await page.click("#logout");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByRole("button", { name: /Forgotten/ }).click();
  await page.getByRole("heading", { name: "Set up this portal" }).waitFor();
  await button(page, "Back to the login").click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.locator("#overview").isVisible(), false);
  await closePage(page);
});

test("devices come and go while one looks, as a tree of hubs and ports", async (t) => {
  const page = await inside();
  await world.do("plug_hub", { busid: "1-1", ports: 4 });
  await page.evaluate(() => {
    new MutationObserver(() => {
      if (!window.seen && document.querySelector('[data-place="1-2"]')) window.seen = Date.now() / 1000;
    }).observe(document.body, { childList: true, subtree: true });
  });
  const { at } = await world.do("plug", { busid: "1-2", tty: "ttyUSB0", product: "CP2102 bridge", serial: "0001", manufacturer: "Silicon Labs" });
  await device(page, "1-2").waitFor();
  // From the first byte of the fake of /sys to the page, with sanitizers, on a machine with other work.
  const took = Math.round(((await page.evaluate(() => window.seen)) - at) * 1000);
  t.diagnostic(`on the page ${took} ms after the device was made`);
  assert.ok(took < 5000, `${took} ms`);
  const card = device(page, "1-2");
  for (const text of ["CP2102 bridge", "10c4:ea60", "serial 0001", "Silicon Labs", "1-2"])
    assert.ok((await card.textContent()).includes(text), text);
  await device(page, "1-1").getByText("4 ports").waitFor();
  assert.ok((await page.locator(".bus").first().textContent()).includes("Ports 3, 4: empty"));
  await world.do("plug", { busid: "1-3", tty: "ttyUSB1", product: "second" });
  await device(page, "1-3").waitFor();
  await world.do("unplug", { busid: "1-3" });
  await device(page, "1-3").waitFor({ state: "detached" });
  await page.locator("#event-list").getByText("second", { exact: false }).first().waitFor();
  await closePage(page);
});

test("what a device calls itself is never markup", async () => {
  const page = await inside();
  const hostile = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  await world.do("plug", { busid: "1-4", tty: "ttyUSB4", product: hostile, serial: '"><svg onload=window.pwned=1>', manufacturer: "\u202eevil" });
  await device(page, "1-4").waitFor();
  assert.ok((await device(page, "1-4").textContent()).includes(hostile), "it is shown as it is");
  assert.equal(await page.locator("#overview img, #overview svg, #overview script").count(), 0);
  await page.locator("#event-list").getByText("<img src=x").first().waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await picture(page, "hostile");
  await world.do("unplug", { busid: "1-4" });
  await closePage(page);
});

test("an action that cannot work says why before it is clicked", async () => {
  const page = await inside();
  const card = device(page, "1-2");
  const again = button(card, "Connect 1-2 again");
  assert.equal(await again.getAttribute("aria-disabled"), "true");
  await card.getByText("it was not disconnected by hand").waitFor();
  await again.click({ force: true });
  assert.equal((await card.locator(".outcome").textContent()).trim(), "", "and nothing is done");
  assert.equal(await button(page, "Connect all").getAttribute("aria-disabled"), "true");
  await page.getByText("no device was disconnected by hand").waitFor();
  const pair = button(page, "Pair");
  assert.equal(await pair.getAttribute("aria-disabled"), "true");
  await page.getByText("paste a token first").waitFor();
  await pair.click({ force: true });
  assert.equal((await page.locator("#join-outcome").textContent()).trim(), "");
  await page.fill("#token", "x");
  assert.equal(await pair.getAttribute("aria-disabled"), null);
  await page.fill("#token", "");
  assert.equal(await pair.getAttribute("aria-disabled"), "true");
  await closePage(page);
});

test("a mode is set, the serial port appears, its address can be copied, and its board is heard", async () => {
  const page = await inside();
  const card = device(page, "1-2");
  await card.getByRole("combobox").selectOption("serial");
  await button(card, "Set the mode of 1-2").click();
  await card.getByText("The mode is “serial” from now on.").waitFor();
  await card.getByText(/served on TCP port/).waitFor();
  const port = page.locator('[data-port="1-2"]');
  await port.waitFor();
  const { ports } = await world.do("ports");
  const address = await port.locator("code").textContent();
  assert.equal(address, `rfc2217://${new URL(world.url).hostname}:${ports["1-2"].port}?ign_set_control`);
  await button(port, "Copy the address of 1-2").click();
  await port.getByText("Copied.").waitFor();
  await page.focus("#token");
  await page.keyboard.press("Control+V");
  assert.equal(await page.inputValue("#token"), address);
  await page.fill("#token", "");
  await port.getByText("nobody has it").waitFor();
  await button(port, "Console of 1-2").click();
  await port.getByText("Reading along.").waitFor();
  await world.do("say", { busid: "1-2", text: "\u001b[31mboot\u001b[0m <b>ok</b> grüße\r\n" });
  await port.locator(".console").getByText("boot <b>ok</b> grüße").waitFor();
  // A piece may end within a sequence, or between the two ends of a line.
  for (const [said, seen] of [["one\u001b[3", "one"], ["2mtwo\u001b]0;title", "two"], ["\u0007three\r", "three"], ["\nfour\u202e", "four"]]) {
    await world.do("say", { busid: "1-2", text: said });
    await port.locator(".console").getByText(seen).waitFor();
  }
  assert.match(await port.locator(".console").textContent(), /onetwothree\nfour$/);
  await button(port, "Console of 1-2").click();
  assert.equal(await port.locator(".console").isVisible(), false);
  await picture(page, "serial");
  await closePage(page);
});

test("whom a serial port has refused is let in by one click, and that is taken back by another", async () => {
  const page = await inside();
  const { address, refused } = await world.do("knock", { busid: "1-2" });
  assert.ok(refused);
  const row = page.locator("#event-list li", { hasText: `${address} may not use this port` }).first();
  await button(row, `Allow this address: ${address}`).click();
  await row.getByText(`${address} may open the serial ports from now on.`).waitFor();
  assert.deepEqual((await world.do("allowed")).allow, [{ address, by: "hand" }]);
  assert.deepEqual(await faults(page), []);
  await picture(page, "allowed");
  await button(row, `Take that back: ${address}`).click();
  await row.getByText(`${address} is not let in any more.`).waitFor();
  assert.deepEqual((await world.do("allowed")).allow, []);
  await button(row, `Allow this address: ${address}`).waitFor();
  await closePage(page);
});

test("as many consoles can be open as leave a browser connections for everything else", async () => {
  const page = await inside();
  const places = ["1-5", "1-6", "1-7", "1-8"];
  for (const [index, busid] of places.entries()) {
    await world.do("plug", { busid, tty: `ttyUSB${5 + index}`, product: `board ${index}` });
    await world.do("set_mode", { busid, mode: "serial" });
  }
  const watch = (place) => button(page.locator(`[data-port="${place}"]`), `Console of ${place}`);
  for (const place of places.slice(0, 3)) {
    await watch(place).click();
    await page.locator(`[data-port="${place}"]`).getByText("Reading along.").waitFor();
  }
  assert.equal(await watch("1-8").getAttribute("aria-disabled"), "true");
  await page.locator('[data-port="1-8"]').getByText("3 consoles are open already: close one").waitFor();
  await button(device(page, "1-5"), "Set the mode of 1-5").waitFor();
  await device(page, "1-5").getByRole("combobox").selectOption("off");
  await button(device(page, "1-5"), "Set the mode of 1-5").click(); // and that still gets through
  await device(page, "1-5").getByText("The mode is “off” from now on.").waitFor();
  await page.locator('[data-port="1-5"]').waitFor({ state: "detached" }); // its console went with it
  await watch("1-8").click();
  await page.locator('[data-port="1-8"]').getByText("Reading along.").waitFor();
  for (const busid of places) await world.do("unplug", { busid });
  for (const busid of places) await world.do("set_mode", { busid, mode: "default" });
  await closePage(page);
});

test("a tab that nobody looks at keeps no connection, and shows how things are when it is looked at", async () => {
  const page = await openPage(browser, world);
  await page.clock.install();
  let streams = 0;
  page.on("request", (request) => { streams += request.url().endsWith("/api/stream"); });
  await logIn(page);
  await until(() => streams === 1, "the stream");
  const look = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/api/stream"));
  await look(true);
  await page.clock.fastForward(11_000);
  await ended;
  await world.do("plug", { busid: "1-4", tty: "ttyUSB4", product: "came meanwhile" });
  assert.equal(await device(page, "1-4").count(), 0);
  await look(false);
  await device(page, "1-4").waitFor();
  assert.equal(streams, 2);
  await world.do("unplug", { busid: "1-4" });
  await closePage(page);
});

test("while one types, what happens takes nothing away", async () => {
  const page = await inside();
  await page.fill("#token", "half a token");
  await device(page, "1-2").getByRole("combobox").selectOption("off");
  await device(page, "1-2").getByRole("combobox").focus();
  await world.do("plug", { busid: "1-3", tty: "ttyUSB1", product: "third" });
  await device(page, "1-3").waitFor();
  assert.equal(await page.inputValue("#token"), "half a token");
  assert.equal(await device(page, "1-2").getByRole("combobox").inputValue(), "off");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Mode of 1-2");
  await closePage(page);
});

test("a device is disconnected and connected again, one and all", async () => {
  const page = await inside();
  const card = device(page, "1-3");
  await button(card, "Disconnect 1-3").waitFor();
  const disconnect = button(card, "Disconnect 1-3");
  if ((await disconnect.getAttribute("aria-disabled")) === "true")
    // Without usbip-host nothing is exported here, and that is what it says.
    await card.getByText(/it is with no node: /).waitFor();
  const done = await page.evaluate(async () => {
    const { csrf } = await (await fetch("/api/session")).json();
    const response = await fetch("/api/detach", { method: "POST", body: '{"place":"1-3"}',
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf } });
    return response.status;
  });
  assert.equal(done, 200);
  await card.getByText("disconnected by hand").first().waitFor();
  await button(card, "Connect 1-3 again").click();
  await card.getByText(/may be connected again|Connected again/).waitFor();
  await closePage(page);
});

test("everything can be done by keyboard alone", async () => {
  const page = await openPage(browser, world);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.keyboard.type(password); // the field has the focus
  await page.keyboard.press("Enter");
  await page.waitForSelector("#live.good");
  await device(page, "1-2").waitFor();
  // Forward through the page: everything that can be done is met, and can be seen to have the focus.
  await page.reload(); // from its beginning
  await page.waitForSelector("#live.good");
  await device(page, "1-2").waitFor();
  const met = [];
  for (let i = 0; i < 120; ++i) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const outline = getComputedStyle(element).outlineStyle;
      return { name: element.getAttribute("aria-label") || element.textContent.trim().slice(0, 40) || element.id, outline };
    });
    if (!at) break;
    assert.notEqual(at.outline, "none", `${at.name} shows its focus`);
    met.push(at.name);
  }
  for (const name of ["Skip to the content", "Log out", "Mode of 1-2", "Set the mode of 1-2", "Disconnect 1-2",
    "Connect 1-2 again", "Copy the address of 1-2", "Console of 1-2", "Connect all", "Disconnect all", "Pair"])
    assert.ok(met.includes(name), `${name} is among ${met.join(" | ")}`);
  // And done: the mode goes back, with the keyboard.
  await device(page, "1-2").getByRole("combobox").focus();
  await page.keyboard.press("End");
  assert.equal(await device(page, "1-2").getByRole("combobox").inputValue(), "default");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await device(page, "1-2").getByText("The mode is “default” from now on.").waitFor();
  await page.locator('[data-port="1-2"]').waitFor({ state: "detached" });
  await closePage(page);
});

test("this machine is paired with a node by its token, tested, and unpaired", { skip: process.getuid() !== 0 }, async () => {
  const page = await inside();
  await world.do("start_node");
  await page.fill("#token", "longcord join nonsense");
  await button(page, "Pair").click();
  await page.locator("#join-outcome.bad").waitFor();
  const { token } = await world.do("pair", { name: "workbench" });
  await page.fill("#token", `longcord join ${token}\n`); // the line as it was printed
  await button(page, "Pair").click();
  await page.getByText("Paired: this machine is “workbench” of pve1.").waitFor();
  assert.ok((await page.locator("#join-steps li").count()) >= 2, "its steps were shown");
  const node = page.locator(".node");
  await node.getByRole("heading", { name: "pve1" }).waitFor();
  await node.getByText(/linked for .* round trip/).waitFor();
  await page.evaluate(() => {
    window.underWay = new Set();
    new MutationObserver(() => {
      for (const each of document.querySelectorAll(".node .steps .open")) window.underWay.add(each.textContent);
    }).observe(document.querySelector("#node-list"), { childList: true, subtree: true });
  });
  await button(node, "Test the connection to pve1").click();
  await node.getByText("The connection works.").waitFor();
  assert.equal(await node.locator(".steps .good").count(), 5);
  assert.ok((await page.evaluate(() => [...window.underWay])).some((text) => text.startsWith("tcp: good")), "its steps were shown as they were done");
  assert.ok((await world.do("pis")).pis.workbench.linked, "and its link was not disturbed");
  await picture(page, "paired");
  assert.deepEqual(await faults(page), []);
  await button(node, "Unpair from pve1").click();
  await page.getByText("Unpaired; pve1 has forgotten this machine.").waitFor();
  assert.match(page.asked, /Unpair from pve1/);
  await page.locator(".node").waitFor({ state: "detached" });
  assert.deepEqual((await world.do("pis")).pis, {});
  await closePage(page);
});

for (const [name, options] of [
  ["desktop", {}], ["desktop-dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
  ["phone-dark", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: "dark" }],
])
  test(`it fits and has no serious fault of accessibility: ${name}`, async () => {
    const page = await inside(options);
    await device(page, "1-2").waitFor();
    await picture(page, name);
    assert.deepEqual(await faults(page), []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `nothing is to the right of the screen (${wide} px)`);
    const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(light === "rgb(18, 24, 31)", options.colorScheme === "dark", light);
    const small = await page.locator("button:visible").evaluateAll((all) =>
      all.filter((each) => each.getBoundingClientRect().height < 24).map((each) => each.textContent));
    assert.deepEqual(small, [], "what a finger is to hit");
    await closePage(page);
  });

test("who finds no node on this network is told what a node has to do for that", async () => {
  const page = await inside();
  await page.locator("#discovered-none").getByText(/discovery: true|avahi-daemon/).waitFor();
  await closePage(page);
});

test("the portal of a node shows Pis, VMs, their rules and devices, and which rule decides", async () => {
  const node = await world.do("start_host");
  const open = (options) => openPage(browser, node, options);
  const page = await open();
  await page.fill("#setup-code", node.code);
  await page.fill("#setup-password", password);
  await page.fill("#setup-again", password);
  await page.click("#setup button[type=submit]");
  await page.waitForSelector("#live.good");
  const vm = page.locator(".vm", { hasText: "VM 100 (workshop)" });
  for (const rule of ["3-4", "*/* 10c4:ea60 serial=0001", "!3-9"])
    await vm.locator("code").getByText(rule, { exact: true }).waitFor();
  await page.locator(".node", { hasText: "bench" }).getByText(/linked for .* 1 device/).waitFor();
  await page.locator(".vm", { hasText: "VM 101" }).locator(".note.bad").waitFor(); // a mistake in its rules
  await device(page, "3-4").getByText("Dongle <b>").waitFor();
  await button(device(page, "3-4"), "Explain 3-4").click();
  await device(page, "3-4").locator(".steps .good").getByText(/VM 100, line 2/).waitFor();
  assert.equal(await page.getByRole("combobox").count(), 0, "nothing can be changed");
  for (const gone of ["#pair", "#all-actions", "#serial"]) assert.equal(await page.locator(gone).isVisible(), false);
  assert.deepEqual(await faults(page), []);
  await picture(page, "node");
  await closePage(page);
  const phone = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: "dark" });
  await logIn(phone);
  await device(phone, "3-4").waitFor();
  assert.deepEqual(await faults(phone), []);
  assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0);
  await picture(phone, "node-phone-dark");
  await closePage(phone);
});

test("a service that is away is said to be, and comes back by itself", async () => {
  const page = await inside();
  await world.do("stop_service");
  await page.locator("#live.bad").waitFor();
  const disconnect = button(device(page, "1-2"), "Disconnect 1-2");
  await device(page, "1-2").getByText("the service is away").first().waitFor();
  assert.equal(await disconnect.getAttribute("aria-disabled"), "true");
  assert.equal(await button(page, "Pair").getAttribute("aria-disabled"), "true");
  assert.deepEqual(await faults(page), []);
  await picture(page, "away");
  await world.do("start_service");
  await page.locator("#live.good").waitFor();
  await device(page, "1-2").waitFor();
  assert.equal(await page.getByText("the service is away").count(), 0);
  await closePage(page);
});

test("a session that ends elsewhere leads back to the login", async () => {
  const page = await inside();
  const other = await inside();
  await other.fill("#old-password", password);
  await other.fill("#new-password", password + " 2");
  await other.click("#change button[type=submit]");
  await other.getByText("Changed.").waitFor();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await until(async () => (await page.locator("#overview").isVisible()) === false, "the overview to go");
  await closePage(page);
  await closePage(other);
});
