import type { RoleName } from "@/api/schema";

export const ROLES: { role: RoleName; label: string; means: string }[] = [
  { role: "owner", label: "Owner", means: "Everything, also the tenant itself" },
  { role: "admin", label: "Admin", means: "Members, keys, playbooks and contracts" },
  { role: "reviewer", label: "Reviewer", means: "Decides on findings, edits playbooks, deletes contracts" },
  { role: "analyst", label: "Analyst", means: "Uploads and analyses contracts" },
  { role: "viewer", label: "Viewer", means: "Reads reports" },
];
