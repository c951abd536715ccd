/*
 * Whether what is shown is made up. Decided before anything is drawn as true: by the address, or because no control plane
 * answers a browser that never had a session here. What was real never turns into a demo.
 */

const demoKey = "certctl.demo";
const heldKey = "certctl.held-session";

let isOn = false;

/** `?demo=1` begins a demo in this tab, `?demo=0` ends it. */
export function isDemoAsked(): boolean {
  const asked = new URLSearchParams(location.search).get("demo");
  if (asked === "1") sessionStorage.setItem(demoKey, "1");
  if (asked === "0") sessionStorage.removeItem(demoKey);
  return sessionStorage.getItem(demoKey) === "1";
}

export function isDemo(): boolean {
  return isOn;
}

/** From here on everything that is shown is made up, and says so. */
export function enterDemo(): void {
  isOn = true;
  document.title = demoTitle(document.title);
  document.querySelector("link[rel=icon]")?.setAttribute("href", "/favicon-demo.svg");
}

export function leaveDemo(): void {
  sessionStorage.removeItem(demoKey);
  location.assign("/?demo=0");
}

/** A window's title; that of a demo cannot be taken for another. */
export function demoTitle(title: string): string {
  return isOn && !title.startsWith("[Demo]") ? `[Demo] ${title}` : title;
}

/** Told by the first answer to somebody who is signed in. */
export function noteSession(): void {
  localStorage.setItem(heldKey, "1");
}

export function hasHeldSession(): boolean {
  return localStorage.getItem(heldKey) !== null;
}
