import { Link, Outlet } from "@tanstack/react-router";
import { Icon, type IconName, Page, PageHead } from "@/design";
import s from "./settings.module.css";

const PARTS = [
  { to: "/settings/tenant", label: "Tenant", icon: "building" },
  { to: "/settings/members", label: "Members", icon: "people" },
  { to: "/settings/api-keys", label: "API keys", icon: "key" },
  { to: "/settings/webhooks", label: "Webhooks", icon: "hook" },
  { to: "/settings/playbooks", label: "Playbooks", icon: "book" },
] as const satisfies readonly { to: string; label: string; icon: IconName }[];

export function Settings() {
  return (
    <Page>
      <PageHead title="Settings" />
      <div className={s.layout}>
        <nav aria-label="Settings" className={s.nav}>
          {PARTS.map((part) => (
            <Link key={part.to} to={part.to} activeProps={{ "aria-current": "page" }}>
              <Icon name={part.icon} />
              {part.label}
            </Link>
          ))}
        </nav>
        <div className={s.content}><Outlet /></div>
      </div>
    </Page>
  );
}
