// A browser for tests, driven by one JSON object a line on standard input; one answers each.
//
//   node driver.mjs chromium|firefox PROGRAM PROFILE
//
// {"id": 1, "do": "open", "url": "file:///…"} is answered {"id": 1, "ok": …} or {"id": 1, "error": "…"}.
// What the page says and asks for meanwhile is kept until "report" takes it. Ends with its input.

import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [kind, program, profile] = process.argv.slice(2);

const COMMON = {
  executablePath: program,
  headless: true,
  userDataDir: profile,
  defaultViewport: { width: 1280, height: 800 },
};

const browser = await puppeteer.launch(
  kind === "firefox"
    ? {
        ...COMMON,
        browser: "firefox",
        extraPrefsFirefox: {
          // Without this, automation opens what a person's browser keeps closed.
          "security.fileuri.strict_origin_policy": true,
          "network.proxy.type": 1,
          "network.proxy.http": "127.0.0.1",
          "network.proxy.http_port": 9,
          "network.proxy.ssl": "127.0.0.1",
          "network.proxy.ssl_port": 9,
          "browser.safebrowsing.malware.enabled": false,
          "browser.safebrowsing.phishing.enabled": false,
          "datareporting.healthreport.uploadEnabled": false,
          "app.normandy.enabled": false,
          "extensions.getAddons.cache.enabled": false,
        },
      }
    : {
        ...COMMON,
        pipe: true,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--disable-background-networking",
          "--disable-component-update",
          "--no-first-run",
          "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ],
      },
);

let page;
let said = { console: [], errors: [], requests: [], failed: [], violations: [], dialogs: [] };

/** Whether it is what the browser's own PDF viewer says of a document in a frame. */
function isViewers(message) {
  return /^chrome-extension:|#navpanes=/.test(message.location().url ?? "");
}

/** Open a page with fresh eyes; violations of the CSP are collected in the page itself. */
async function fresh() {
  await page?.close();
  said = { console: [], errors: [], requests: [], failed: [], violations: [], dialogs: [] };
  page = await browser.newPage();
  page.on("console", (message) => {
    if (isViewers(message)) return;
    said.console.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => said.errors.push(String(error)));
  page.on("request", (request) => said.requests.push(request.url()));
  page.on("requestfailed", (request) => said.failed.push(request.url()));
  page.on("dialog", (dialog) => {
    said.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.evaluateOnNewDocument(() => {
    window.__violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
}

const ACTIONS = {
  /** `before` is run in the page before any script of its own. */
  async open({
    url,
    width = 1280,
    height = 800,
    ratio = 1,
    touch = false,
    wait = "load",
    before = "",
    scripts = true,
  }) {
    await fresh();
    if (!scripts) await page.setJavaScriptEnabled(false);
    if (before) await page.evaluateOnNewDocument(before);
    if (kind === "firefox") await page.setViewport({ width, height });
    else await page.setViewport({ width, height, deviceScaleFactor: ratio, hasTouch: touch });
    await page.goto(url, { waitUntil: wait });
  },
  /** A function's body or an expression; promises are awaited; the result has to be JSON. */
  evaluate: ({ code }) => page.evaluate(code),
  /** Until an expression is true. */
  until: ({ code, timeout = 30_000 }) =>
    page.waitForFunction(code, { timeout, polling: 20 }).then(() => true),
  click: ({ selector }) => page.click(selector),
  type: ({ selector, text }) => page.type(selector, text),
  /** "Shift+r" and the like, or one key. */
  async resize({ width, height }) {
    const now = page.viewport(); // the same otherwise, or the page would be loaded again
    await page.setViewport({ ...now, width, height });
  },

  async key({ key }) {
    const parts = key.length > 1 ? key.split("+").filter(Boolean) : [key];
    const last = parts.pop();
    for (const each of parts) await page.keyboard.down(each);
    await page.keyboard.press(last);
    for (const each of parts.reverse()) await page.keyboard.up(each);
  },
  /** Press what opens a file dialog, and choose this folder or these files in it. */
  async pick({ selector, paths }) {
    const [chooser] = await Promise.all([page.waitForFileChooser(), page.click(selector)]);
    await chooser.accept(paths);
  },
  async wheel({ x, y, dy, ctrl = false }) {
    await page.mouse.move(x, y);
    if (ctrl) await page.keyboard.down("Control");
    await page.mouse.wheel({ deltaY: dy });
    if (ctrl) await page.keyboard.up("Control");
  },
  async drag({ from, to, button = "left", steps = 4 }) {
    await page.mouse.move(from[0], from[1]);
    await page.mouse.down({ button });
    await page.mouse.move(to[0], to[1], { steps });
    await page.mouse.up({ button });
  },
  async move({ x, y }) {
    await page.mouse.move(x, y);
  },
  /** Each finger's way, as lists of points of equal length. */
  async touch({ fingers }) {
    const handles = [];
    for (const way of fingers) handles.push(await page.touchscreen.touchStart(...way[0]));
    for (let i = 1; i < fingers[0].length; i++) {
      for (const [n, way] of fingers.entries()) await handles[n].move(...way[i]);
    }
    for (const handle of handles) await handle.end();
  },
  /** A finger that stays until the page has opened a menu, and then goes. */
  async press({ x, y }) {
    const finger = await page.touchscreen.touchStart(x, y);
    await page.waitForSelector("[role=menu]");
    await finger.end();
  },
  /** As a person's system has it: "forced-colors", "active" and the like (Chromium only). */
  async emulate({ features }) {
    const session = await page.createCDPSession();
    await session.send("Emulation.setEmulatedMedia", { features });
  },
  /** Away with the page, as if its window were closed. */
  async close() {
    await page.goto("about:blank");
  },
  async screenshot({ path, selector }) {
    const from = selector ? await page.$(selector) : page;
    await from.screenshot({ path });
  },
  async report() {
    const violations = await page.evaluate(() => window.__violations ?? []);
    return { ...said, violations };
  },
};

/** One at a time, in the order in which they came. */
async function answer(line) {
  const { id, do: name, ...rest } = JSON.parse(line);
  try {
    const ok = await ACTIONS[name](rest);
    return { id, ok: ok ?? null };
  } catch (error) {
    return { id, error: String(error) };
  }
}

process.stdout.write(`${JSON.stringify({ ready: await browser.version() })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
await browser.close();
