const tenant = `(select nullif(current_setting('app.tenant_id', true), '')::uuid)`;
const allTenants = `(select current_setting('app.all_tenants', true)) = 'on'`;

/**
 * SQL that puts a table under forced row-level security by its `tenant_id`. With `acrossTenants`, background work and
 * platform staff reach all rows by setting `app.all_tenants`; without a setting nobody sees a row.
 */
export const tenantTable = (table: string, { acrossTenants = false }: { acrossTenants?: boolean } = {}): string[] => {
  const rule = acrossTenants ? `tenant_id = ${tenant} or ${allTenants}` : `tenant_id = ${tenant}`;
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    `create policy tenant_isolation on ${table} using (${rule}) with check (${rule})`,
  ];
};
