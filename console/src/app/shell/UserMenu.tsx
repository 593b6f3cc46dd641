import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { http } from "@/api/client";
import type { Session } from "@/api/schema";
import { sessionQuery } from "@/api/session";
import { chooseTheme, Menu, MenuChoice, MenuItem, MenuLabel, MenuLine, useThemeChoice } from "@/design";
import s from "./shell.module.css";

export function UserMenu({ session }: { session: Session }) {
  const theme = useThemeChoice();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const name = session.user?.name ?? "API key";
  const others = session.tenants.filter((tenant) => tenant.id !== session.tenant.id);

  async function leave(tenant?: string) {
    await http.DELETE("/v1/session");
    await navigate({ to: "/sign-in", search: tenant === undefined ? {} : { tenant } });
    queryClient.clear();
    queryClient.setQueryData(sessionQuery.queryKey, null);
  }

  return (
    <Menu
      trigger={
        <button type="button" className={s.user} aria-label={`Account of ${name}, ${session.tenant.name}`}>
          <span className={s.initials} aria-hidden>{initials(name)}</span>
          <span className={s.tenant}>{session.tenant.name}</span>
        </button>
      }
    >
      <div className={s.who}>
        <strong>{name}</strong>
        <span>{session.user?.email}</span>
        <span>{session.role ?? "key"} of {session.tenant.name}</span>
      </div>
      <MenuLine />
      <MenuLabel>Appearance</MenuLabel>
      <MenuChoice
        value={theme}
        onChange={chooseTheme}
        options={[
          { value: "light", label: "Light", icon: "sun" },
          { value: "dark", label: "Dark", icon: "moon" },
          { value: "system", label: "As the system", icon: "screen" },
        ]}
      />
      {others.length > 0 && (
        <>
          <MenuLine />
          <MenuLabel>Other tenants</MenuLabel>
          {others.map((tenant) => (
            <MenuItem key={tenant.id} icon="building" hint={`${tenant.role}; asks you to sign in again`} onSelect={() => void leave(tenant.slug)}>
              {tenant.name}
            </MenuItem>
          ))}
        </>
      )}
      <MenuLine />
      <MenuItem icon="signout" onSelect={() => void leave()}>Sign out</MenuItem>
    </Menu>
  );
}

function initials(name: string): string {
  return name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => part.charAt(0).toUpperCase()).join("");
}
