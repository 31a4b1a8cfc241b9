// SPDX-License-Identifier: MIT
// Copying text. A page that came by http has no navigator.clipboard; the old way works there.
import { make } from "./dom.js";

export async function copy(text) {
  if (window.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here: the old way may be.
    }
  }
  const before = document.activeElement;
  const field = make("textarea", { class: "copier", readonly: "", "aria-hidden": "true", tabindex: "-1" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}
