/**
 * Light, dark, or as the system says. The choice is kept in this browser; theme.js applies it before
 * the first paint, this module afterwards, also when the system or another tab changes it.
 */
import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";
const KEY = "mainspring.theme";
const listeners = new Set<() => void>();

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

const darkSystem = () => matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const choice = stored();
  const shown = choice === "system" ? (darkSystem().matches ? "dark" : "light") : choice;
  document.documentElement.dataset.theme = shown;
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  apply();
  darkSystem().addEventListener("change", apply);
  addEventListener("storage", (event) => {
    if (event.key === KEY) apply();
  });
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Storage is barred: the choice lasts for this page only.
    document.documentElement.dataset.theme = choice;
    return;
  }
  apply();
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, stored);
}

/** Whether the page is dark now, whoever decided it. */
export function useIsDark(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => document.documentElement.dataset.theme === "dark");
}
