// Development only: what dev/shots.mjs takes pictures of.
const textFile = (name, words = "An agreement.") => ({ name, mimeType: "text/plain", buffer: Buffer.from(words) });

export const SCENES = [
  { name: "sign-in", path: "/sign-in", signedOut: true },
  { name: "sign-in-dark", path: "/sign-in", signedOut: true, dark: true },
  { name: "sign-in-wrong-phone", path: "/sign-in", signedOut: true, phone: true, act: signInWrong },
  { name: "sign-in-throttled", path: "/sign-in", signedOut: true, mood: "throttled", act: signInWrong },
  { name: "list", path: "/contracts" },
  { name: "list-dark", path: "/contracts", dark: true },
  { name: "list-phone", path: "/contracts", phone: true },
  { name: "list-empty", path: "/contracts", mood: "empty" },
  { name: "list-no-match", path: "/contracts?q=zzz" },
  { name: "list-error", path: "/contracts", mood: "error", settle: 4200 },
  { name: "list-loading", path: "/contracts", mood: "slow", settle: 700 },
  { name: "list-denied", path: "/contracts", mood: "denied", act: (page) => page.getByRole("button", { name: "Upload contracts" }).hover().then(() => page.waitForTimeout(600)) },
  { name: "list-uploads", path: "/contracts", act: upload },
  { name: "report", path: "/contracts/ctr_1?finding=fnd_0_0" },
  { name: "report-dark", path: "/contracts/ctr_1?finding=fnd_0_2", dark: true },
  { name: "report-big", path: "/contracts/ctr_2", act: (page) => page.keyboard.press("j").then(() => page.keyboard.press("j")).then(() => page.waitForTimeout(1200)) },
  { name: "report-summary", path: "/contracts/ctr_1?tab=summary", act: (page) => page.getByRole("button", { name: /^Source 5/ }).click().then(() => page.waitForTimeout(600)) },
  { name: "report-facts", path: "/contracts/ctr_1?tab=facts" },
  { name: "report-clauses-dark", path: "/contracts/ctr_1?tab=clauses", dark: true },
  { name: "report-decided", path: "/contracts/ctr_1", act: decide },
  { name: "report-dismiss", path: "/contracts/ctr_1?finding=fnd_0_4", act: (page) => page.keyboard.press("d").then(() => page.waitForTimeout(400)) },
  { name: "report-edit-dark", path: "/contracts/ctr_1?finding=fnd_0_4", dark: true, act: (page) => page.keyboard.press("e").then(() => page.waitForTimeout(400)) },
  { name: "report-phone", path: "/contracts/ctr_1?finding=fnd_0_1", phone: true },
  { name: "report-phone-text", path: "/contracts/ctr_1?finding=fnd_0_1&tab=text", phone: true, settle: 1300 },
  { name: "report-phone-summary", path: "/contracts/ctr_1?tab=summary", phone: true },
  { name: "report-unknown", path: "/contracts/ctr_404" },
  { name: "live", path: "/contracts", settle: 300, act: (page) => live(page, 8600) },
  { name: "live-early-dark", path: "/contracts", dark: true, settle: 300, act: (page) => live(page, 2100) },
  { name: "live-phone", path: "/contracts", phone: true, settle: 300, act: (page) => live(page, 9500) },
  { name: "live-cancelled", path: "/contracts", settle: 300, act: (page) => live(page, 2200).then(() => page.getByRole("button", { name: "Cancel" }).click()).then(() => page.getByText("The analysis was cancelled").waitFor()) },
  { name: "live-to-report", path: "/contracts", settle: 300, act: (page) => live(page, 11000).then(() => page.getByRole("tab", { name: /Findings/ }).waitFor()).then(() => page.waitForTimeout(700)) },
  { name: "run-failed", path: "/contracts/ctr_4" },
  { name: "settings-tenant", path: "/settings" },
  { name: "settings-members", path: "/settings/members" },
  { name: "settings-members-denied", path: "/settings/members", mood: "denied" },
  { name: "settings-keys-dark", path: "/settings/api-keys", dark: true },
  { name: "settings-key-created", path: "/settings/api-keys", act: createKey },
  { name: "settings-playbooks", path: "/settings/playbooks" },
  { name: "settings-playbook", path: "/settings/playbooks/buyer" },
  { name: "settings-playbook-wrong-dark", path: "/settings/playbooks/buyer", dark: true, act: breakPlaybook },
  { name: "settings-playbook-phone", path: "/settings/playbooks/buyer", phone: true },
  { name: "gateway-models", path: "/gateway" },
  { name: "gateway-models-open-dark", path: "/gateway", dark: true, act: (page) => page.getByRole("button", { name: /^openai\/gpt-5-2025/ }).click().then(() => page.waitForTimeout(200)) },
  { name: "gateway-models-phone", path: "/gateway", phone: true, act: (page) => page.getByRole("button", { name: /^openai\/gpt-4o/ }).click().then(() => page.waitForTimeout(200)) },
  { name: "gateway-models-empty", path: "/gateway", mood: "empty" },
  { name: "gateway-models-loading", path: "/gateway", mood: "slow" },
  { name: "gateway-denied", path: "/gateway", mood: "denied" },
  { name: "gateway-limits", path: "/gateway?tab=limits" },
  { name: "gateway-limits-dark", path: "/gateway?tab=limits", dark: true },
  { name: "gateway-limits-phone", path: "/gateway?tab=limits", phone: true },
  { name: "gateway-limits-empty", path: "/gateway?tab=limits", mood: "empty" },
  { name: "gateway-limits-analyst", path: "/gateway?tab=limits", mood: "analyst" },
  { name: "gateway-limit-dialog", path: "/gateway?tab=limits", act: (page) => addLimit(page) },
  { name: "gateway-limit-dialog-phone-dark", path: "/gateway?tab=limits", phone: true, dark: true, act: (page) => addLimit(page) },
  { name: "gateway-rules-stale", path: "/gateway?tab=limits", mood: "stale", act: staleRules },
  { name: "gateway-policy-wrong", path: "/gateway?tab=limits", act: breakPolicy },
  { name: "gateway-policy-stale-dark", path: "/gateway?tab=limits", mood: "stale", dark: true, act: (page) => breakPolicy(page, "residency\": \"eu", "residency\": \"us") },
  { name: "gateway-keys", path: "/gateway?tab=keys" },
  { name: "gateway-keys-phone-dark", path: "/gateway?tab=keys", phone: true, dark: true },
  { name: "gateway-keys-empty", path: "/gateway?tab=keys", mood: "empty" },
  { name: "gateway-key-dialog", path: "/gateway?tab=keys", act: setKey },
  { name: "gateway-key-delete", path: "/gateway?tab=keys", act: (page) => page.getByRole("button", { name: "Delete the key for OpenAI" }).click().then(() => page.waitForTimeout(200)) },
  { name: "gateway-spend", path: "/gateway?tab=spend" },
  { name: "gateway-spend-model-dark", path: "/gateway?tab=spend&by=model&days=90", dark: true },
  { name: "gateway-spend-phone", path: "/gateway?tab=spend", phone: true },
  { name: "gateway-spend-empty", path: "/gateway?tab=spend", mood: "empty" },
  { name: "menu-dark", path: "/contracts", dark: true, act: (page) => page.getByRole("button", { name: /^Account of/ }).click().then(() => page.waitForTimeout(300)) },
  { name: "help", path: "/contracts", act: (page) => page.keyboard.press("?").then(() => page.waitForTimeout(300)) },
  { name: "not-found", path: "/nowhere" },
];

async function signInWrong(page) {
  await page.getByLabel("Email").fill("mara@halvorsen.example");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.waitForTimeout(300);
}

async function upload(page) {
  await page.locator("#upload-input").setInputFiles([textFile("carrier-nda-mutual.txt"), textFile("statement-of-work.txt"), textFile("encrypted-annex.pdf")]);
  await page.getByText("is protected by a password").waitFor();
  await page.waitForTimeout(1600);
}

async function decide(page) {
  await page.keyboard.press("j");
  await page.keyboard.press("a");
  await page.getByText("Finding accepted").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("d");
  await page.getByLabel("Reason").fill("Agreed with the other side on the call of May 4");
  await page.getByRole("button", { name: "Dismiss finding" }).click();
  await page.getByText("Finding dismissed").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("e");
  await page.getByRole("combobox", { name: "Severity" }).selectOption("medium");
  await page.getByLabel("Reason").fill("Training is limited by the data annex");
  await page.getByRole("button", { name: "Save the edit" }).click();
  await page.getByText("Edit saved").waitFor();
  await page.waitForTimeout(500);
}

let uploaded = 0;
async function live(page, wait) {
  uploaded += 1;
  await page.locator("#upload-input").setInputFiles([textFile(`order-form-${uploaded}.txt`)]);
  await page.getByRole("link", { name: "Watch" }).first().click();
  await page.getByTestId("stream-live").waitFor();
  await page.waitForTimeout(wait);
}

async function createKey(page) {
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByLabel("Name").fill("Warehouse import");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByTestId("secret").waitFor();
  await page.waitForTimeout(300);
}

async function breakPlaybook(page) {
  const editor = page.getByLabel("YAML of buyer");
  await editor.fill((await editor.inputValue()).replace("severity: high", "severity: hihg"));
  await page.getByRole("button", { name: "Save as new version" }).click();
  await page.getByRole("alert").waitFor();
  await page.waitForTimeout(200);
}

async function addLimit(page) {
  await page.getByRole("button", { name: "Add a limit" }).click();
  await page.getByLabel("Counted for").selectOption("user");
  await page.getByLabel("Budget a day, USD").fill("a lot");
  await page.getByRole("dialog").getByRole("button", { name: "Add the limit" }).click();
  await page.waitForTimeout(200);
}

async function staleRules(page) {
  await page.getByRole("switch", { name: "Require pinned versions" }).click();
  await page.getByRole("button", { name: "Save the rules" }).click();
  await page.getByRole("alert").scrollIntoViewIfNeeded();
  await page.waitForTimeout(200);
}

async function breakPolicy(page, before = "20000000", after = "-5") {
  await page.getByRole("button", { name: "Edit as JSON" }).click();
  const editor = page.getByLabel("The policy as JSON");
  await editor.fill((await editor.inputValue()).replace(before, after));
  await page.getByRole("button", { name: "Save the policy" }).click();
  await page.getByRole("alert").scrollIntoViewIfNeeded();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForTimeout(200);
}

async function setKey(page) {
  await page.getByRole("button", { name: "Set a key" }).click();
  await page.getByLabel("Key", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Replace the key", exact: true }).click();
  await page.getByRole("alert").last().waitFor();
  await page.waitForTimeout(200);
}
