// SPDX-License-Identifier: MIT
// The only ways by which this page makes and changes elements. Text always goes in as text: what a
// device calls itself is never markup.

export const $ = (id) => document.getElementById(id);

/** An element; `content` is texts and elements. */
export function make(tag, properties = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...content);
  return element;
}

/** Writes only what is another text than before, so that nothing that is read aloud is read twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** "good", "bad" or "": how it went, in words. */
export function outcome(element, text, how = "") {
  element.className = `outcome ${how}`;
  say(element, text);
}

/**
 * Brings the children of `list` in step with `items`, by key. What is there already is kept, with
 * its focus and what was typed into it. `create(item)` returns {element, update(item)}, and gone()
 * where something has to end with it.
 */
export function keyed(list, items, key, create) {
  list.parts ??= new Map();
  const wanted = new Set(items.map(key));
  for (const [name, part] of list.parts)
    if (!wanted.has(name)) {
      part.element.remove();
      part.gone?.();
      list.parts.delete(name);
    }
  let place = list.firstElementChild;
  for (const item of items) {
    let part = list.parts.get(key(item));
    if (!part) list.parts.set(key(item), (part = create(item)));
    part.update(item);
    if (part.element === place) place = place.nextElementSibling;
    else list.insertBefore(part.element, place);
  }
}

let numbers = 0;

/**
 * A button that says why it cannot be used. It stays in the order of the keyboard, so that the
 * reason can be found. `why()` returns "" where it can.
 */
export function actionButton(label, act, name = label) {
  const id = `why-${++numbers}`;
  const why = make("small", { class: "why", id });
  const button = make("button", { type: "button", "aria-describedby": id }, label);
  if (name !== label) button.setAttribute("aria-label", name);
  guard(button, why, act);
  return { element: make("span", { class: "action" }, button, why), button, can: (reason) => setWhy(button, why, reason) };
}

const guarded = new Set();
let blocked = "";

/** A reason why none of them can be used now, such as a service that is away; "" where there is none. */
export function block(reason) {
  if (reason === blocked) return;
  blocked = reason;
  for (const each of guarded)
    if (each.button.isConnected) setWhy(each.button, each.why, each.button.reason ?? "");
    else guarded.delete(each); // its device is gone
}

/** For a button that is in the page already. */
export function guard(button, why, act) {
  guarded.add({ button, why });
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.working = true;
    setWhy(button, why, button.reason ?? "");
    try {
      await act();
    } finally {
      button.working = false;
      setWhy(button, why, button.reason ?? "");
    }
  });
}

export function setWhy(button, why, reason) {
  button.reason = reason;
  const shown = button.working ? "under way …" : blocked || reason;
  if (shown) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  say(why, shown);
}
