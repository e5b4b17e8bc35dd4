import type { Pool } from 'pg';

const table = 'schema_migration';

/** What the last run of `migrate` has brought is told by a comment on the table of migrations: whoever ran before it may go on. */
export const noteStep = (names: string[]): string => `comment on table ${table} is '${JSON.stringify(names)}'`;

/** The schema of a service, next to what its code knows. */
export interface SchemaStanding {
  /** Migrations that have not run yet. */
  missing: string[];
  /** Migrations that have run and that the code neither knows nor may be older than. */
  unknown: string[];
}

const namesIn = (note: string | null): string[] => {
  try {
    const names: unknown = JSON.parse(note ?? '[]');
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
};

/**
 * Compares a schema with the migrations that the code knows. Migrations are compatible with the release before, so code may lack those
 * of the last step, and no others. Throws when the schema cannot be read, as before the first migration.
 */
export const schemaStanding = async (pool: Pick<Pool, 'query'>, known: string[]): Promise<SchemaStanding> => {
  const { rows } = await pool.query<{ name: string; note: string | null }>(
    `select name, obj_description('${table}'::regclass) as note from ${table} order by name`,
  );
  const applied = rows.map(({ name }) => name.replace(/\.ts$/, ''));
  const allowed = new Set([...known, ...namesIn(rows[0]?.note ?? null)]);
  return {
    missing: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !allowed.has(name)),
  };
};
