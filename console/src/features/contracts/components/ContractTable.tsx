import { Link } from "@tanstack/react-router";
import type { Contract } from "@/api/schema";
import { ago, atTime, Card, count, fileSize, Icon, Loading, SeverityCounts, Skeleton } from "@/design";
import { ContractMenu } from "./ContractMenu";
import { RunBadge } from "./RunBadge";
import s from "../list.module.css";

export function ContractTable({ contracts, stale }: { contracts: Contract[]; stale: boolean }) {
  return (
    <Card pad={false} className={s.tableCard}>
      <table className={s.table} aria-busy={stale || undefined} data-stale={stale || undefined}>
        <caption className="visually-hidden">Contracts, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Contract</th>
            <th scope="col">Status</th>
            <th scope="col">Findings</th>
            <th scope="col">Playbook</th>
            <th scope="col">Added</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {contracts.map((contract) => <ContractRow key={contract.id} contract={contract} />)}
        </tbody>
      </table>
    </Card>
  );
}

function ContractRow({ contract }: { contract: Contract }) {
  const facts = [contract.pages === null ? null : count(contract.pages, "page"), fileSize(contract.size_bytes)].filter(Boolean).join(", ");
  const findings = contract.latest_run?.status === "succeeded" || contract.latest_run === null ? contract.findings : null;
  return (
    <tr>
      <td className={s.nameCell}>
        <div className={s.name}>
          <span className={s.fileIcon} aria-hidden>{fileKind(contract)}</span>
          <div>
          <Link className={s.rowLink} to="/contracts/$contractId" params={{ contractId: contract.id }}>{contract.title ?? contract.name}</Link>
          <span className={s.sub}>{contract.title === null ? facts : `${contract.name}, ${facts}`}</span>
          </div>
        </div>
      </td>
      <td><RunBadge run={contract.latest_run} /></td>
      <td>
        {findings && (
          <span className={s.findings}>
            <SeverityCounts counts={findings} />
            <span className={s.sub}>{findings.open > 0 ? `${findings.open} open` : <><Icon name="check" size={12} /> all decided</>}</span>
          </span>
        )}
      </td>
      <td className={s.playbook}>{contract.playbook}</td>
      <td className={s.added}>
        <time dateTime={contract.created_at} title={atTime(contract.created_at)}>{ago(contract.created_at)}</time>
        <span className={s.sub}>{contract.created_by}</span>
      </td>
      <td className={s.menuCell}><ContractMenu contract={contract} /></td>
    </tr>
  );
}

export function fileKind(contract: Contract): string {
  const ending = /\.([a-z0-9]{1,4})$/i.exec(contract.name)?.[1]?.toLowerCase();
  if (contract.media_type === "application/pdf") return "pdf";
  if (contract.media_type.includes("wordprocessingml")) return "docx";
  return ending ?? "txt";
}

export function TableSkeleton() {
  return (
    <Loading label="Loading the contracts">
      <Card pad={false} className={s.tableCard}>
        <div className={s.skeletonHead} />
        {[62, 48, 71, 40, 55, 66].map((width) => (
          <div key={width} className={s.skeletonRow}>
            <Skeleton width={34} height={34} />
            <div>
              <Skeleton width={`${width}%`} />
              <Skeleton width={`${width * 0.6}%`} height={11} />
            </div>
            <Skeleton width={84} height={20} />
            <Skeleton width={110} height={20} />
          </div>
        ))}
      </Card>
    </Loading>
  );
}
