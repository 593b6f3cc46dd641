import { Loading, Mark, Page, Skeleton, SkeletonLines } from "@/design";
import s from "./shell.module.css";

/** The frame before the session is known. */
export function ShellSkeleton() {
  return (
    <>
      <header className={s.bar}>
        <span className={s.brand}>
          <Mark />
          <span>Mainspring</span>
        </span>
      </header>
      <main className={s.content}>
        <Page>
          <Loading label="Opening Mainspring">
            <Skeleton width={190} height={26} />
            <div style={{ height: 24 }} />
            <SkeletonLines count={7} />
          </Loading>
        </Page>
      </main>
    </>
  );
}
