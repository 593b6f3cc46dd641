// Development only: pictures of the console's states over dev/mock.mjs, to be looked at.
// Usage: npm run build && node dev/shots.mjs [OUT] [NAME...]   (CHROMIUM names the browser)
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { SCENES } from "./scenes.mjs";

const [out = "test-results", ...names] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const mock = spawn(process.execPath, [fileURLToPath(new URL("mock.mjs", import.meta.url))], { env: { ...process.env, PORT: "0", SIGNED_IN: "1" } });
const base = await new Promise((resolve) => mock.stdout.once("data", (line) => resolve(String(line).trim())));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-component-update"],
});
let failures = 0;
for (const scene of SCENES.filter(({ name }) => names.length === 0 || names.some((each) => name.startsWith(each)))) {
  const context = await browser.newContext({ viewport: scene.phone ? { width: 390, height: 844 } : { width: 1440, height: 900 }, colorScheme: scene.dark ? "dark" : "light", hasTouch: scene.phone ?? false });
  const page = await context.newPage();
  page.on("console", (message) => { if (message.type() === "error" && !/status of (401|4\d\d|5\d\d)/.test(message.text())) { failures += 1; process.stdout.write(`${scene.name}: ${message.text()}\n`); } });
  page.on("pageerror", (error) => { failures += 1; process.stdout.write(`${scene.name}: ${error}\n`); });
  await fetch(`${base}/mock/scenario`, { method: "POST", body: JSON.stringify({ name: scene.mood ?? "normal", signedIn: !scene.signedOut }) });
  try {
    await page.goto(base + scene.path);
    await page.waitForTimeout(scene.settle ?? 500);
    await scene.act?.(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    if (wide) { failures += 1; process.stdout.write(`${scene.name}: wider than the window\n`); }
    await page.screenshot({ path: `${out}/${scene.name}.png` });
  } catch (error) {
    failures += 1;
    process.stdout.write(`${scene.name}: ${error}\n`);
    await page.screenshot({ path: `${out}/${scene.name}.png` });
  }
  await context.close();
}
await browser.close();
mock.kill();
process.exitCode = failures === 0 ? 0 : 1;
