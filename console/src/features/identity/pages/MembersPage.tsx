import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Member, NewMember, RoleName } from "@/api/schema";
import { useAllowance, useSession } from "@/api/session";
import { Badge, Button, Card, ConfirmDialog, Failure, IconButton, Loading, onDay, Row, SecretDialog, Select, SkeletonLines, Text, toast } from "@/design";
import { AddMemberDialog } from "../components/AddMemberDialog";
import { ROLES } from "../components/roles";
import { membersQuery, useMemberChanges } from "../queries";
import s from "../identity.module.css";

export function MembersPage() {
  const members = useQuery(membersQuery);
  const may = useAllowance("member.manage");
  const [adding, setAdding] = useState(false);
  const [added, setAdded] = useState<NewMember | null>(null);
  return (
    <>
      <Card pad={false} label="Members">
        <header className={s.cardHead}>
          <div>
            <h2>Members</h2>
            <Text tone="faint" size="s">Who may sign in to this tenant, and as what</Text>
          </div>
          <Button icon="plus" denied={may.reason} onClick={() => { setAdding(true); }}>Add member</Button>
        </header>
        {members.isError ? (
          <Failure what="The members" error={members.error} onRetry={() => void members.refetch()} />
        ) : members.data === undefined ? (
          <Loading label="Loading the members"><div className={s.padded}><SkeletonLines /></div></Loading>
        ) : (
          <ul className={s.rows}>{members.data.map((member) => <MemberRow key={member.id} member={member} />)}</ul>
        )}
      </Card>
      {adding && <AddMemberDialog onClose={() => { setAdding(false); }} onAdded={setAdded} />}
      {added?.password != null && (
        <SecretDialog title={`${added.user.name} was added`} label="First password" secret={added.password} onClose={() => { setAdded(null); }}>
          Pass it on by a safe way; they sign in with it. It is not kept in readable form.
        </SecretDialog>
      )}
    </>
  );
}

function MemberRow({ member }: { member: Member }) {
  const session = useSession();
  const may = useAllowance("member.manage");
  const { setRole, remove } = useMemberChanges();
  const [removing, setRemoving] = useState(false);
  const isSelf = member.user.id === session.user?.id;
  return (
    <li>
      <div className={s.rowMain}>
        <Row gap={2} wrap>
          <strong>{member.user.name}</strong>
          {isSelf && <Badge tone="accent">you</Badge>}
        </Row>
        <Text as="p" tone="faint" size="s">{member.user.email}, since {onDay(member.created_at)}</Text>
      </div>
      {may.allowed ? (
        <>
          <Select
            aria-label={`Role of ${member.user.name}`}
            value={member.role}
            disabled={setRole.isPending}
            onChange={(event) => {
              const role = event.target.value as RoleName;
              setRole.mutate({ id: member.id, role }, {
                onSuccess: () => { toast(`${member.user.name} is now ${role}`); },
                onError: (error) => { toast(error.message, { tone: "critical" }); },
              });
            }}
          >
            {ROLES.map(({ role, label }) => <option key={role} value={role}>{label}</option>)}
          </Select>
          <IconButton icon="trash" label={`Remove ${member.user.name}`} onClick={() => { setRemoving(true); }} />
        </>
      ) : (
        <Badge tone="info">{member.role}</Badge>
      )}
      {removing && (
        <ConfirmDialog title={`Remove ${member.user.name}?`} action="Remove" run={() => remove.mutateAsync(member.id)} onClose={() => { setRemoving(false); }}>
          {member.user.email} can no longer open this tenant. What they decided stays on record.
        </ConfirmDialog>
      )}
    </li>
  );
}
