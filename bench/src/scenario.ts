import { Agent, request } from 'node:http';

/** The people and things that the load is put on. */
export interface Scenario {
  url: string;
  requesters: string[];
  /** What the requesters log in with. */
  people: { email: string; password: string }[];
  approver: string;
  admin: string;
  /** Resource ids whose requests wait for one approval. */
  resources: string[];
  roles: string[];
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** One call of the public API; anything but the wanted status is an error. */
export const call = (
  url: string,
  method: string,
  path: string,
  token: string | undefined,
  body: unknown,
  wanted: number,
): Promise<Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(payload ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) } : {}),
    };
    const sent = request(`${url}/api/v1${path}`, { method, agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === wanted) resolve(text ? JSON.parse(text) : {});
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });

const token = async (url: string, email: string, password: string, audience: string): Promise<string> =>
  String((await call(url, 'POST', '/auth/login', undefined, { email, password, audience }, 200)).accessToken);

/** A tenant with enough people, resources and roles that no request is the same as another. */
export const prepare = async (url: string): Promise<Scenario> => {
  const slug = `bench-${Date.now().toString(36)}`;
  const password = `Bench-${slug}-${process.hrtime.bigint()}`;
  const adminEmail = `admin@${slug}.test`;
  await call(
    url,
    'POST',
    '/auth/register',
    undefined,
    { email: adminEmail, password, firstName: 'Ada', lastName: 'Admin', organization: { name: slug, slug } },
    201,
  );
  const admin = await token(url, adminEmail, password, 'org-admin');
  const person = async (name: string, role: string) => {
    const email = `${name}@${slug}.test`;
    await call(url, 'POST', '/org/users', admin, { email, firstName: 'Una', lastName: 'User', password, orgRoles: [role] }, 201);
    return { email, token: await token(url, email, password, 'app') };
  };
  const requesters = await Promise.all(Array.from({ length: 8 }, (_, index) => person(`requester${index}`, 'requester')));
  const approver = await person('approver', 'approver');
  const roles = Array.from({ length: 50 }, (_, index) => `role-${index}`);
  const type = await call(
    url,
    'POST',
    '/org/resource-types',
    admin,
    { key: 'bench', name: 'Bench', connector: 'simulated', roles, sensitivity: 'medium', maxDuration: 'P1D' },
    201,
  );
  const resources: string[] = [];
  for (let index = 0; index < 200; index++) {
    const resource = await call(
      url,
      'POST',
      '/org/resources',
      admin,
      { key: `bench-${index}`, name: `Bench ${index}`, resourceTypeId: type.id },
      201,
    );
    resources.push(String(resource.id));
  }
  return {
    url,
    requesters: requesters.map((requester) => requester.token),
    people: requesters.map(({ email }) => ({ email, password })),
    approver: approver.token,
    admin,
    resources,
    roles,
  };
};

/** Bodies of requests that are all different. */
export const differentRequests = ({ requesters, resources, roles }: Scenario): (() => { token: string; body: Record<string, unknown> }) => {
  let count = 0;
  return () => {
    const index = count++;
    const resourceId = resources[index % resources.length];
    const role = roles[Math.floor(index / resources.length) % roles.length];
    const by = requesters[Math.floor(index / (resources.length * roles.length)) % requesters.length];
    return { token: String(by), body: { resourceId, role, justification: 'A load test of the whole way', duration: 'PT2H' } };
  };
};
