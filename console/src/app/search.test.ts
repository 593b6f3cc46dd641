import { expect, test } from "vitest";
import { contractSearch, listSearch, signInSearch } from "./search";

test("sign-in leads on within this console only", () => {
  expect(signInSearch({ next: "/contracts/ctr_1?tab=facts" }).next).toBe("/contracts/ctr_1?tab=facts");
  for (const next of ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/sign-in", 5, undefined]) {
    expect(signInSearch({ next }).next).toBeUndefined();
  }
});

test("values that are not known are dropped from the address", () => {
  expect(listSearch({ q: 2019, status: "odd" })).toEqual({ q: "2019", status: undefined });
  expect(contractSearch({ tab: "facts", severity: "worst", finding: "fnd_1" })).toMatchObject({ tab: "facts", severity: undefined, finding: "fnd_1" });
});
