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
