import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Contract, Report } from "@/api/schema";
import { ago, Badge, Button, count, Icon, Menu, MenuItem } from "@/design";
import { ContractMenu } from "../components/ContractMenu";
import { reportFile, reportQuery } from "../queries";
import s from "./report.module.css";

/** The head of a contract's page, with and without a report. */
export function ContractHeader({ contract, children, onDeleted }: { contract: Contract; children?: ReactNode; onDeleted: () => void }) {
  const { data: report } = useQuery({ ...reportQuery(contract.id), enabled: contract.latest_run?.status === "succeeded" });
  const facts = [contract.title === null ? null : contract.name, contract.pages === null ? null : count(contract.pages, "page"), `playbook ${report === undefined ? contract.playbook : `${report.playbook.name} v${report.playbook.version}`}`];
  return (
    <header className={s.header}>
      <Link to="/contracts" className={s.back} aria-label="Back to the contracts"><Icon name="left" /></Link>
      <div className={s.headTitle}>
        <h1>{contract.title ?? contract.name}</h1>
        <p>
          {facts.filter((fact) => fact !== null).join(", ")}
          {report && <>, analysed <time dateTime={report.generated_at}>{ago(report.generated_at)}</time></>}
        </p>
      </div>
      <div className={s.headActions}>
        {report && <MethodSummary report={report} />}
        {children}
        {report && (
          <Menu trigger={<Button icon="download" className={s.download}>Download</Button>}>
            <MenuItem icon="file" href={reportFile(contract.id, "docx")} download hint="For Word, with the findings as a table">Report as Word</MenuItem>
            <MenuItem icon="file" href={reportFile(contract.id, "md")} download hint="Plain text with headings">Report as Markdown</MenuItem>
            <MenuItem icon="file" href={reportFile(contract.id, "json")} download hint="Everything, for programs">Report as JSON</MenuItem>
          </Menu>
        )}
        <ContractMenu contract={contract} onDeleted={onDeleted} />
      </div>
    </header>
  );
}

function MethodSummary({ report }: { report: Report }) {
  const uses = report.method === "model";
  return <Badge tone={uses ? "accent" : "info"} icon={uses ? "model" : "rule"} className={s.methodSummary}>{uses ? "With a language model" : "Without a language model"}</Badge>;
}
