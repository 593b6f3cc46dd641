import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { SignInPage } from "@/features/identity";

const route = getRouteApi("/sign-in");

export function SignIn() {
  const { next, tenant } = route.useSearch();
  const navigate = useNavigate();
  return <SignInPage tenant={tenant} onSignedIn={() => void navigate({ to: next ?? "/contracts" })} />;
}
