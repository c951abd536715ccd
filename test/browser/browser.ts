import { chromium, type Page } from "playwright-core";
import type { System } from "../system.ts";
import { watchProblems } from "./problems.ts";

export const widths = [1440, 1024, 390] as const;
export const themes = ["dark", "light"] as const;

/** A tab of a browser of its own: its cookies and storage are nobody else's. */
export interface View extends AsyncDisposable {
  page: Page;
  /** What went wrong in the page until now: errors on the console, thrown ones, failed requests, answers of 5xx. */
  problems: string[];
  /** Goes to a path of the dashboard and waits until it shows what it has. */
  goto(path: string): Promise<void>;
  /** Waits until the page shows what it has: a heading, and nothing that is still being fetched. */
  settle(): Promise<void>;
  /** Another tab of the same browser. */
  newTab(): Promise<View>;
}

export interface ViewOptions {
  /** Who is signed in; null: nobody. The admin when left out. */
  apiKey?: string | null;
  theme?: (typeof themes)[number];
  width?: number;
  height?: number;
}

export interface Browser extends AsyncDisposable {
  open(system: System, options?: ViewOptions): Promise<View>;
}

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the system's Chromium. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
  return {
    async open(system, { apiKey = system.adminKey, theme, width = 1440, height = 900 } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        reducedMotion: "reduce",
        colorScheme: "dark",
        timezoneId: "UTC",
        locale: "en-GB",
        // The control plane vouches for itself.
        ignoreHTTPSErrors: true,
        permissions: ["clipboard-read", "clipboard-write"],
      });
      if (theme)
        await context.addInitScript((value) => {
          localStorage.setItem("certctl.preferences", JSON.stringify({ theme: value }));
        }, theme);
      if (apiKey !== null) {
        const answer = await context.request.post(`${system.url}/api/v1/session`, {
          data: { api_key: apiKey },
          headers: { origin: system.url },
        });
        if (!answer.ok()) throw new Error(`signing in: HTTP ${answer.status()} ${await answer.text()}`);
      }

      async function view(): Promise<View> {
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        const problems = watchProblems(page);
        const settle = async () => {
          await page.waitForFunction(
            () =>
              document.querySelector("h1") !== null &&
              document.querySelector("[aria-busy=true], .skeleton") === null,
          );
          await page.evaluate(async () => {
            await document.fonts.ready;
            // What has just been set is drawn in the second frame at the latest.
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
          });
        };
        return {
          page,
          problems,
          settle,
          newTab: view,
          async goto(path) {
            await page.goto(system.url + path);
            await settle();
          },
          [Symbol.asyncDispose]: () => context.close(),
        };
      }
      return view();
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
