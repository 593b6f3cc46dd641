import { type SyntheticEvent, useState } from "react";
import { ApiError } from "@/api/problem";
import type { NewMember, RoleName } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select, toast } from "@/design";
import { useMemberChanges } from "../queries";
import { ROLES } from "./roles";

export function AddMemberDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (member: NewMember) => void }) {
  const { add } = useMemberChanges();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<RoleName>("analyst");
  const fields = add.error instanceof ApiError ? add.error.fields : [];
  const wrong = (field: string) => fields.find((each) => each.field.endsWith(field))?.message;
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    add.mutate({ email: email.trim(), name: name.trim(), role }, {
      onSuccess: (member) => {
        onClose();
        if (member.password == null) toast(`${member.user.name} was added`);
        else onAdded(member);
      },
    });
  }
  return (
    <Dialog title="Add member" onClose={onClose}>
      <form onSubmit={submit} style={{ display: "contents" }}>
        {add.error && fields.length === 0 && <Notice tone="critical" title="Not added">{add.error.message}</Notice>}
        <Field label="Email" error={wrong("email")}>
          <Input type="email" required value={email} onChange={(event) => { setEmail(event.target.value); }} />
        </Field>
        <Field label="Name" error={wrong("name")}>
          <Input required maxLength={120} value={name} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        <Field label="Role" hint={ROLES.find((each) => each.role === role)?.means}>
          <RoleSelect value={role} onChange={setRole} />
        </Field>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={add.isPending}>Add to the tenant</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function RoleSelect({ value, onChange, ...rest }: { value: RoleName; onChange: (role: RoleName) => void; id?: string }) {
  return (
    <Select {...rest} value={value} onChange={(event) => { onChange(event.target.value as RoleName); }}>
      {ROLES.map(({ role, label }) => <option key={role} value={role}>{label}</option>)}
    </Select>
  );
}
