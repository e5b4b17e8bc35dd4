interface Server {
  url: string;
  adminPassword: string;
}

/** Makes the realm hash with one pass instead of five: hundreds of logins prove nothing about hashes, and take minutes otherwise. */
export const hashQuickly = async ({ url, adminPassword }: Server): Promise<void> => {
  const credentials = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: adminPassword };
  const tokens = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(credentials),
  });
  const headers = {
    authorization: `Bearer ${((await tokens.json()) as { access_token: string }).access_token}`,
    'content-type': 'application/json',
  };
  const realm = `${url}/admin/realms/accessops`;
  const { passwordPolicy } = (await (await fetch(realm, { headers })).json()) as { passwordPolicy: string };
  const body = JSON.stringify({ passwordPolicy: `${passwordPolicy} and hashIterations(1)` });
  const changed = await fetch(realm, { method: 'PUT', headers, body });
  if (!changed.ok) throw new Error(`the realm's password policy: ${changed.status}`);
};
