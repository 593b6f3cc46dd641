"""Approvals: what waits for a person, who may decide it, and what became of it.

The rules that must hold whoever writes are here and not only in Python: a row begins undecided, a decision names the
digest of the content that the row holds, nobody decides alone, and what has ended stays as it is.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0014"
down_revision = "0013"

_LEGAL = (
    "('pending', 'approved'), ('pending', 'rejected'), ('pending', 'expired'), ('pending', 'withdrawn'), "
    "('pending', 'voided'), ('approved', 'consumed'), ('approved', 'voided')"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _approvals()
    _indexes()
    _history()
    _guard_beginning()
    _guard_changes()
    # The loops that expire and escalate find their work across tenants, and do it inside each tenant.
    isolate(op, "approval")
    allow_system(op, "approval", "select")
    op.execute("revoke delete on approval from mainspring_tenant")
    isolate(op, "approval_history")
    op.execute("revoke update, delete on approval_history from mainspring_tenant")


def _approvals() -> None:
    op.execute("""
        create table approval (
            tenant_id uuid not null,
            id uuid not null,
            key text not null,
            action text not null,
            title text not null,
            shown text not null,
            content text not null,
            digest text not null,
            shown_digest text not null,
            revision integer not null default 1,
            state text not null default 'pending',
            assigned text[] not null,
            four_eyes boolean not null,
            initiator text[] not null,
            editor text[] not null,
            run_id uuid,
            signal text,
            asked_at timestamptz not null,
            expires_at timestamptz not null,
            escalate_at timestamptz,
            escalate_to text[] not null default '{}',
            escalated_at timestamptz,
            verdict text,
            reason text,
            decided_digest text,
            decided_by text,
            decided_hands text[],
            decided_at timestamptz,
            consumed_by text,
            consumed_at timestamptz,
            closed_at timestamptz,
            replaced_by uuid,
            primary key (tenant_id, id),
            constraint approval_state_known check (state in
                ('pending', 'approved', 'rejected', 'expired', 'withdrawn', 'voided', 'consumed')),
            constraint approval_content_bounded check (octet_length(content) <= 262144),
            constraint approval_digest_of_content
                check (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
            constraint approval_decision_whole check (
                (decided_at is null) = (verdict is null) and (decided_at is null) = (decided_digest is null)
                and (decided_at is null) = (decided_by is null) and (decided_at is null) = (decided_hands is null)),
            constraint approval_decided_where_it_must check (case
                when state in ('approved', 'rejected', 'consumed') then decided_at is not null
                when state in ('pending', 'expired', 'withdrawn') then decided_at is null
                else true end),
            constraint approval_decided_as_shown check (decided_digest = digest),
            constraint approval_four_eyes check (not four_eyes or decided_hands is null or (
                cardinality(decided_hands) > 0
                and not decided_hands && initiator and not decided_hands && editor)),
            constraint approval_closed_undecided check ((closed_at is not null) = (state in ('expired', 'withdrawn'))),
            constraint approval_consumed_once check ((consumed_at is not null) = (state = 'consumed'))
        )""")


def _indexes() -> None:
    op.execute("create unique index approval_by_key on approval (tenant_id, key) where replaced_by is null")
    op.execute("create index approval_by_state on approval (tenant_id, state, id)")
    op.execute("create index approval_of_run on approval (tenant_id, run_id, id) where run_id is not null")
    op.execute("create index approval_expiring on approval (expires_at) where state = 'pending'")
    op.execute(
        "create index approval_escalating on approval (escalate_at) "
        "where state = 'pending' and escalate_at is not null and escalated_at is null"
    )


def _history() -> None:
    op.execute("""
        create table approval_history (
            tenant_id uuid not null,
            approval_id uuid not null,
            seq integer not null,
            event text not null,
            revision integer not null,
            digest text not null,
            content text not null,
            by_subject text,
            by_name text,
            hands text[] not null default '{}',
            reason text,
            facts jsonb not null default '{}',
            at timestamptz not null,
            primary key (tenant_id, approval_id, seq),
            foreign key (tenant_id, approval_id) references approval (tenant_id, id)
        )""")


def _guard_beginning() -> None:
    op.execute("""
        create function approval_begins_undecided() returns trigger language plpgsql as $$
        begin
            raise exception 'an approval begins pending, at revision 1, and as it was shown'
                using errcode = 'check_violation', constraint = 'approval_begins_undecided';
        end $$""")
    op.execute("""
        create trigger approval_begins_undecided before insert on approval for each row
        when (new.state <> 'pending' or new.revision <> 1 or new.replaced_by is not null
              or new.shown_digest <> new.digest)
        execute function approval_begins_undecided()""")


def _guard_changes() -> None:
    """What no statement may change; the constraints say what a single row may be."""
    op.execute(f"""
        create function approval_keeps_its_word() returns trigger language plpgsql as $$
        begin
            if (new.tenant_id, new.id, new.key, new.action, new.title, new.shown, new.shown_digest, new.initiator,
                new.four_eyes, new.asked_at, new.expires_at, new.escalate_at, new.escalate_to)
               is distinct from
               (old.tenant_id, old.id, old.key, old.action, old.title, old.shown, old.shown_digest, old.initiator,
                old.four_eyes, old.asked_at, old.expires_at, old.escalate_at, old.escalate_to) then
                raise exception 'what an approval asks for is fixed'
                    using errcode = 'check_violation', constraint = 'approval_fixed';
            end if;
            if old.replaced_by is not null and new.replaced_by is distinct from old.replaced_by then
                raise exception 'an approval is replaced once'
                    using errcode = 'check_violation', constraint = 'approval_fixed';
            end if;
            if old.state <> new.state and (old.state, new.state) not in ({_LEGAL}) then
                raise exception 'an approval cannot go from % to %', old.state, new.state
                    using errcode = 'check_violation', constraint = 'approval_transition';
            end if;
            if old.state <> 'pending' and
               (new.content, new.digest, new.revision, new.editor, new.assigned, new.run_id, new.signal,
                new.escalated_at, new.verdict, new.reason, new.decided_digest, new.decided_by, new.decided_hands,
                new.decided_at, new.closed_at)
               is distinct from
               (old.content, old.digest, old.revision, old.editor, old.assigned, old.run_id, old.signal,
                old.escalated_at, old.verdict, old.reason, old.decided_digest, old.decided_by, old.decided_hands,
                old.decided_at, old.closed_at) then
                raise exception 'a decision is final'
                    using errcode = 'check_violation', constraint = 'approval_final';
            end if;
            if old.consumed_at is not null and
               (new.consumed_at, new.consumed_by) is distinct from (old.consumed_at, old.consumed_by) then
                raise exception 'a decision is consumed once'
                    using errcode = 'check_violation', constraint = 'approval_final';
            end if;
            if new.content <> old.content then
                if new.revision <> old.revision + 1 or cardinality(new.editor) = 0
                   or (new.four_eyes and new.state <> 'pending') then
                    raise exception 'an edit makes the next revision, has an editor and is looked at by another'
                        using errcode = 'check_violation', constraint = 'approval_edited';
                end if;
            elsif (new.revision, new.editor) is distinct from (old.revision, old.editor) then
                raise exception 'without an edit, revision and editor stay'
                    using errcode = 'check_violation', constraint = 'approval_edited';
            end if;
            if old.state = 'pending' and new.state in ('approved', 'rejected') and old.expires_at <= mainspring_now()
            then
                raise exception 'the time to decide is over'
                    using errcode = 'check_violation', constraint = 'approval_expired';
            end if;
            return new;
        end $$""")
    op.execute("""
        create trigger approval_keeps_its_word before update on approval for each row
        execute function approval_keeps_its_word()""")
