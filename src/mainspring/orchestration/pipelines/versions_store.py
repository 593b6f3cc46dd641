"""The SQL of versions: a table of the platform, without tenants."""

from mainspring.foundation.db import Row, SystemTransaction


async def keep_versions(transaction: SystemTransaction, rows: str) -> list[Row]:
    """Insert those that are not known; answers those that were, as they are known.

    `rows` is a JSON array of objects with the fields of `declared` below.
    """
    await transaction.run(
        """
        insert into pipeline_version (name, version, step, input_schema, output_schema, fingerprint)
        select name, version, step, input_schema, output_schema, fingerprint
          from jsonb_to_recordset(%(rows)s::jsonb)
               as declared (name text, version integer, step text, input_schema jsonb, output_schema jsonb,
                            fingerprint text)
         order by name, version, step
            on conflict (name, version, step) do nothing""",
        rows=rows,
    )
    return await transaction.all(
        """
        select known.name, known.version, known.step, known.fingerprint, known.registered_at
          from pipeline_version as known
               join jsonb_to_recordset(%(rows)s::jsonb) as declared (name text, version integer, step text)
               using (name, version, step)
         order by name, version, step""",
        rows=rows,
    )
