import { Link } from "@tanstack/react-router";
import { buttonClass, Page, State } from "@/design";

export function NotFoundPage() {
  return (
    <Page narrow>
      <State icon="search" title="There is no such page" actions={<Link to="/contracts" className={buttonClass("primary")}>To the contracts</Link>}>
        <p>The address leads nowhere in this console: <code>{location.pathname}</code></p>
      </State>
    </Page>
  );
}
