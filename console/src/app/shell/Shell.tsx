import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { allowance, useSession } from "@/api/session";
import { focusSearch, IconButton, Mark, ThemeToggle, Tooltip, useShortcuts } from "@/design";
import { waitingQuery } from "@/features/approvals";
import { HelpDialog } from "./HelpDialog";
import s from "./shell.module.css";
import { UserMenu } from "./UserMenu";

/** The frame of every signed-in page: bar, skip link, help, content. */
export function Shell() {
  const session = useSession();
  const navigate = useNavigate();
  const [helping, setHelping] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // Synchronizes the bar's scroll position with the page, where not every entry has room.
  useEffect(() => {
    nav.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [pathname]);
  useShortcuts({
    "?": () => { setHelping(true); },
    "/": focusSearch,
    g: () => void navigate({ to: "/contracts" }),
  });
  return (
    <>
      <a className={s.skip} href="#content">Skip to content</a>
      <header className={s.bar}>
        <Link to="/contracts" className={s.brand} aria-label="Mainspring, to the contracts">
          <Mark />
          <span>Mainspring</span>
        </Link>
        <nav className={s.nav} aria-label="Main" ref={nav}>
          <Link to="/contracts" activeProps={{ "aria-current": "page" }}>Contracts</Link>
          {allowance(session, "agent.run").allowed && <Link to="/ask" activeProps={{ "aria-current": "page" }}>Ask</Link>}
          {allowance(session, "knowledge.view").allowed && (
            <>
              <Link to="/knowledge" activeProps={{ "aria-current": "page" }}>Knowledge</Link>
              <Link to="/search" activeProps={{ "aria-current": "page" }}>Search</Link>
            </>
          )}
          {allowance(session, "ai.output.view").allowed && <ApprovalsLink />}
          {allowance(session, "ai.output.view").allowed && <Link to="/runs" activeProps={{ "aria-current": "page" }}>Runs</Link>}
          {allowance(session, "gateway.view").allowed && <Link to="/gateway" activeProps={{ "aria-current": "page" }}>AI gateway</Link>}
          <Link to="/settings" activeProps={{ "aria-current": "page" }}>Settings</Link>
        </nav>
        <div className={s.right}>
          <AiState on={session.tenant.ai_enabled} />
          <ThemeToggle />
          <IconButton icon="help" label="Keyboard and help" hint="Keyboard and help  ?" onClick={() => { setHelping(true); }} />
          <UserMenu session={session} />
        </div>
      </header>
      <main id="content" tabIndex={-1} className={s.content}>
        <Outlet />
      </main>
      {helping && <HelpDialog onClose={() => { setHelping(false); }} />}
    </>
  );
}

/** With how many wait for the reader. */
function ApprovalsLink() {
  const waiting = useQuery(waitingQuery).data ?? 0;
  return (
    <Link to="/approvals" activeProps={{ "aria-current": "page" }}>
      Approvals
      {waiting > 0 && <span className={s.waiting}>{waiting > 99 ? "99+" : waiting}<span className="visually-hidden"> waiting for you</span></span>}
    </Link>
  );
}

function AiState({ on }: { on: boolean }) {
  const hint = on
    ? "Language models may be used for this tenant. Each result names the way it was found."
    : "Language models are switched off for this tenant: only the classifier and rules run.";
  return (
    <Tooltip text={hint}>
      <Link to="/settings/tenant" className={s.ai} data-on={on}>AI {on ? "on" : "off"}</Link>
    </Tooltip>
  );
}
