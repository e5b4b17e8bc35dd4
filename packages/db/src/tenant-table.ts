const tenant = `(select nullif(current_setting('app.tenant_id', true), '')::uuid)`;
const allTenants = `(select current_setting('app.all_tenants', true)) = 'on'`;

/**
 * SQL that puts a table under forced row-level security by its `tenant_id`. With `acrossTenants`, background work and
 * platform staff reach all rows by setting `app.all_tenants`; without a setting nobody sees a row.
 * A query that is to use an index names its tenant itself.
 */
export const tenantTable = (table: string, { acrossTenants = false }: { acrossTenants?: boolean } = {}): string[] => {
  // A rule, not a condition to search by: seeing "tenant_id = …" in it, the planner would walk all of a tenant's rows where it is asked
  // for one id, or count a tenant that the query names twice and expect next to nothing.
  const rule = `case when tenant_id = ${tenant} then true else ${acrossTenants ? allTenants : 'false'} end`;
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    `create policy tenant_isolation on ${table} using (${rule}) with check (${rule})`,
  ];
};
