import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// No test reaches a server: what a test does not answer fails.
vi.stubGlobal("fetch", (input: unknown) => {
  throw new Error(`unanswered request: ${input instanceof Request ? `${input.method} ${input.url}` : String(input)}`);
});

// The document of tests has no layout to scroll.
Element.prototype.scrollIntoView = () => undefined;

afterEach(() => {
  cleanup();
  document.body.innerHTML = "";
});
