/** Names a file of a tenant: `reports/0192….csv`. */
export interface FileKey {
  tenantId: string;
  /** Parts between slashes, of letters, digits, `.`, `_` and `-`; none begins with a dot. */
  name: string;
}

const tenant = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const name = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,5}$/;

/** Where the file lies in a store: below its tenant. Throws for whatever could lead anywhere else. */
export const pathOf = (key: FileKey): string => {
  if (!tenant.test(key.tenantId) || !name.test(key.name)) throw new Error('This is no name of a file');
  return `${key.tenantId}/${key.name}`;
};
