import type { Notice } from "./notifier.ts";

/** What mail programs without HTML show. */
export function emailText({ message, facts, id }: Notice): string {
  const lines = facts.map(({ name, value }) => `${name}: ${value}`);
  return [message, "", ...lines, "", `-- `, `certctl, notification ${id}`].join("\n");
}

const colors = { Info: "#2e7d32", Warning: "#b26a00", Critical: "#c62828" };

/** One column without pictures or links, readable on a telephone and in the dark. */
export function emailHtml({ subject, message, facts, id, severity }: Notice): string {
  const rows = facts
    .map(
      ({ name, value }) =>
        `<tr><td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">${escaped(name)}</td>` +
        `<td style="padding:2px 0;word-break:break-word">${escaped(value)}</td></tr>`,
    )
    .join("");
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">',
    `<title>${escaped(subject)}</title></head>`,
    '<body style="font:15px/1.5 system-ui,sans-serif;margin:24px;max-width:640px">',
    `<h1 style="font-size:18px;border-left:4px solid ${colors[severity]};padding-left:10px">${escaped(subject)}</h1>`,
    `<p>${escaped(message)}</p>`,
    rows === "" ? "" : `<table style="border-collapse:collapse">${rows}</table>`,
    `<p style="color:#888;font-size:12px">certctl, notification ${escaped(id)}</p></body></html>`,
  ].join("");
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
