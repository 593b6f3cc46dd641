import { IconButton } from "./Button";
import { chooseTheme, useIsDark } from "./theme";

/** One press between light and dark; the menu of the account also offers the system's choice. */
export function ThemeToggle() {
  const dark = useIsDark();
  return <IconButton icon={dark ? "sun" : "moon"} label={dark ? "Switch to light" : "Switch to dark"} onClick={() => { chooseTheme(dark ? "light" : "dark"); }} />;
}
