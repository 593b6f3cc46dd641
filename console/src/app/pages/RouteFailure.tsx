import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { Failure, Page } from "@/design";

export function RouteFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Page narrow>
      <Failure
        what="This page"
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </Page>
  );
}
