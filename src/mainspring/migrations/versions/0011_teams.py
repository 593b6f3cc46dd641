"""Teams of members, to whom documents may be opened."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("""
        create table team (
            tenant_id uuid not null references tenant (id) on delete cascade,
            id uuid not null,
            name text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id)
        )""")
    op.execute("create unique index team_name_unique on team (tenant_id, lower(name))")
    isolate(op, "team")
    # The key begins with the member: whoever authenticates reads a person's teams from it and nothing else.
    op.execute("""
        create table team_member (
            tenant_id uuid not null,
            member_id uuid not null,
            team_id uuid not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, member_id, team_id),
            foreign key (tenant_id, member_id) references membership (tenant_id, id) on delete cascade,
            foreign key (tenant_id, team_id) references team (tenant_id, id) on delete cascade
        )""")
    op.execute("create index team_member_by_team on team_member (tenant_id, team_id, member_id)")
    isolate(op, "team_member")
    allow_system(op, "team_member", "select")
