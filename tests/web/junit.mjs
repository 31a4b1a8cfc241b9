// SPDX-License-Identifier: MIT
// A report as the other parts of tests/run leave theirs; node's own is not in every version of Debian.
const escape = (text) => String(text).replace(/[<>&"\x00-\x08\x0b-\x1f]/g, (c) => `&#${c < " " ? 63 : c.charCodeAt(0)};`);

export default async function* junit(source) {
  yield '<testsuite name="web">\n';
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details?.type === "suite" || data.file === data.name || data.name?.endsWith(".mjs")) continue;
    const outcome = type === "test:fail"
      ? `<failure>${escape(data.details?.error?.cause?.stack ?? data.details?.error)}</failure>`
      : data.skip !== undefined ? "<skipped/>" : "";
    yield `<testcase name="${escape(data.name)}">${outcome}</testcase>\n`;
  }
  yield "</testsuite>\n";
}
