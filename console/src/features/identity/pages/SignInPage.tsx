import { useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { ApiError } from "@/api/problem";
import { sessionQuery } from "@/api/session";
import { Button, Field, Input, Mark, Notice, ThemeToggle } from "@/design";
import { Showcase } from "../components/Showcase";
import { useCountdown } from "../countdown";
import { useSignIn } from "../queries";
import s from "../identity.module.css";

export function SignInPage({ tenant, onSignedIn }: { tenant?: string | undefined; onSignedIn: () => void }) {
  const queryClient = useQueryClient();
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [pausedUntil, setPausedUntil] = useState(0);
  const wait = useCountdown(pausedUntil);
  const incomplete = email.trim() === "" || password === "";

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (incomplete || wait > 0 || signIn.isPending) return;
    signIn.mutate({ email: email.trim(), password, tenant }, {
      onSuccess: (session) => {
        queryClient.setQueryData(sessionQuery.queryKey, session);
        onSignedIn();
      },
      onError: (error) => {
        if (error instanceof ApiError && error.retryAfterSeconds !== null) setPausedUntil(Date.now() + error.retryAfterSeconds * 1000);
      },
    });
  }

  return (
    <div className={s.signIn}>
      <Showcase />
      <main className={s.signInSide}>
        <div className={s.signInTop}><ThemeToggle /></div>
        <div className={s.signInBrand}>
          <Mark size={34} />
          <h1>Sign in to Mainspring</h1>
          <p>Contracts in, cited risk reports out.</p>
        </div>
        <form onSubmit={submit} className={s.signInForm} aria-label="Sign in">
          <Problem error={signIn.error} wait={wait} />
          <Field label="Email">
            <Input id="email" type="email" name="email" autoComplete="username" autoCapitalize="none" spellCheck={false} required value={email} onChange={(event) => { setEmail(event.target.value); }} />
          </Field>
          <Field label="Password">
            <Input type="password" name="password" autoComplete="current-password" required value={password} onChange={(event) => { setPassword(event.target.value); }} />
          </Field>
          {tenant !== undefined && <p className={s.signInTenant}>You will be signed in to <strong>{tenant}</strong>.</p>}
          <Button type="submit" tone="primary" busy={signIn.isPending} denied={wait > 0 ? `Wait ${wait} seconds` : undefined}>
            {signIn.isPending ? "Signing in" : wait > 0 ? `Try again in ${wait} s` : "Sign in"}
          </Button>
        </form>
        <p className={s.signInFoot}>Served by your own Mainspring. Nothing on this page is loaded from elsewhere.</p>
      </main>
    </div>
  );
}

function Problem({ error, wait }: { error: Error | null; wait: number }) {
  if (error === null) return null;
  const problem = error instanceof ApiError ? error : null;
  if (problem?.status === 401) {
    return <Notice tone="critical" title="Email or password is not right">Check both and try again. Capital letters count in the password.</Notice>;
  }
  if (problem?.status === 429) {
    return (
      <Notice tone="critical" title="Too many attempts">
        {wait > 0 ? `Sign-in is paused to protect the account. You can try again in ${wait} seconds.` : "You can try again now."}
      </Notice>
    );
  }
  return <Notice tone="critical" title={problem?.title ?? "Sign-in failed"}>{error.message}</Notice>;
}
