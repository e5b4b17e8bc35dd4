import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';
import { secretsFile } from './places.ts';

/** What came back: the status, the parsed body and the headers. */
export interface Answer {
  status: number;
  // Tests read many shapes out of answers; each asserts what it relies on.
  body: Record<string, unknown> & { error?: { code?: string }; items?: Item[] };
  headers: Headers;
  text: string;
}

export type Item = Record<string, unknown> & { id: string };

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Somebody of a test tenant, logged in. */
export interface Person {
  id: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
}

const secrets = new Set<string>();

/** Remembers a secret that no log may hold; the last suite looks for all of them. */
export const rememberSecret = (secret: string): void => {
  if (secrets.has(secret)) return;
  secrets.add(secret);
  appendFileSync(secretsFile, `${secret}\n`);
};

/** One call of the public API under `/api/v1`; other paths are taken as they are when they start with `//`. */
export const call = async (method: string, path: string, { token, body, headers = {} }: CallOptions = {}): Promise<Answer> => {
  const response = await fetch(`${inject('url')}${path.startsWith('//') ? path.slice(1) : `/api/v1${path}`}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '') && !/jsonl/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, body: json && text ? JSON.parse(text) : {}, headers: response.headers, text };
};

/** The call must answer `status`; answers the body. */
export const must = async (status: number, method: string, path: string, options?: CallOptions): Promise<Answer['body']> => {
  const answer = await call(method, path, options);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}, wanted ${status}`);
  return answer.body;
};

/** All items of a list, page by page. */
export const listAll = async (path: string, token: string, limit = 200): Promise<Item[]> => {
  const items: Item[] = [];
  let cursor: string | null = '';
  do {
    const page = await must(
      200,
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      { token },
    );
    items.push(...(page.items ?? []));
    cursor = page.nextCursor as string | null;
  } while (cursor);
  return items;
};

// Longer than anything takes, also while the machine stands still for seconds. How soon the gateway hears of changes is tried in gateway/test.
const withinMs = 120_000;

/** Waits until `condition` answers something; fails with `what` after the deadline. */
export const until = async <T>(what: string, condition: () => Promise<T | undefined | null | false>): Promise<T> => {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

export const login = async (email: string, password: string, audience?: string, tenant?: string): Promise<Answer> => {
  const answer = await call('POST', '/auth/login', {
    body: { email, password, ...(audience ? { audience } : {}), ...(tenant ? { tenant } : {}) },
  });
  if (answer.status === 200) {
    rememberSecret(String(answer.body.accessToken).split('.')[2] ?? '');
    rememberSecret(String(answer.body.refreshToken));
  }
  return answer;
};

/** A tenant of the test's own, with its admin and whatever people and things the test adds. */
export class Tenant {
  readonly slug: string;
  readonly password: string;
  readonly id: string;
  readonly admin: Person;

  private constructor(slug: string, password: string, id: string, admin: Person) {
    this.slug = slug;
    this.password = password;
    this.id = id;
    this.admin = admin;
  }

  /** Registers an organisation and logs its admin in for the org-admin audience. */
  static async create(tag = 'e2e'): Promise<Tenant> {
    const slug = `${tag}-${Date.now().toString(36)}${randomBytes(4).toString('hex')}`;
    const password = `Quarry-${randomBytes(9).toString('hex')}`;
    rememberSecret(password);
    const email = `admin@${slug}.test`;
    const { user, tenant } = (await must(201, 'POST', '/auth/register', {
      body: { email, password, firstName: 'Ada', lastName: 'Admin', organization: { name: `Org ${slug}`, slug } },
    })) as unknown as { user: Item; tenant: Item };
    const session = await login(email, password, 'org-admin', slug);
    if (session.status !== 200) throw new Error(`the admin of ${slug} cannot log in: ${session.text}`);
    const admin = {
      id: user.id,
      email,
      password,
      token: String(session.body.accessToken),
      refreshToken: String(session.body.refreshToken),
    };
    return new Tenant(slug, password, tenant.id, admin);
  }

  /** A call of the org-admin namespace as the admin. */
  org(method: string, path: string, body?: unknown): Promise<Answer> {
    return call(method, `/org${path}`, { token: this.admin.token, body });
  }

  async person(name: string, orgRoles: string[], audience?: string): Promise<Person> {
    const email = `${name}@${this.slug}.test`;
    const user = await must(201, 'POST', '/org/users', {
      token: this.admin.token,
      body: { email, firstName: 'Una', lastName: 'User', password: this.password, orgRoles },
    });
    return this.signIn({ id: String(user.id), email }, audience);
  }

  async signIn({ id, email }: { id: string; email: string }, audience?: string): Promise<Person> {
    const session = await login(email, this.password, audience, this.slug);
    if (session.status !== 200) throw new Error(`${email} cannot log in: ${session.text}`);
    return { id, email, password: this.password, token: String(session.body.accessToken), refreshToken: String(session.body.refreshToken) };
  }

  async type(fields: Record<string, unknown> = {}): Promise<Item> {
    const key = `type-${randomUUID().slice(0, 13)}`;
    const body = {
      key,
      name: `Type ${key}`,
      connector: 'simulated',
      roles: ['reader', 'writer'],
      sensitivity: 'medium',
      maxDuration: 'P1D',
      ...fields,
    };
    return (await must(201, 'POST', '/org/resource-types', { token: this.admin.token, body })) as Item;
  }

  async resource(resourceTypeId: string, fields: Record<string, unknown> = {}): Promise<Item> {
    const key = `res-${randomUUID().slice(0, 13)}`;
    const body = { key, name: `Resource ${key}`, resourceTypeId, ...fields };
    return (await must(201, 'POST', '/org/resources', { token: this.admin.token, body })) as Item;
  }

  async resources(resourceTypeId: string, count: number): Promise<Item[]> {
    return pool(Array.from({ length: count }), 8, () => this.resource(resourceTypeId));
  }

  async team(members: Person[] = []): Promise<Item> {
    const team = (await must(201, 'POST', '/org/teams', {
      token: this.admin.token,
      body: { name: `Team ${randomUUID().slice(0, 8)}` },
    })) as Item;
    for (const member of members)
      await must(200, 'POST', `/org/teams/${team.id}/members`, { token: this.admin.token, body: { userId: member.id, role: 'member' } });
    return team;
  }
}

/** Runs `work` over the items, `width` at a time; keeps the order of the answers. */
export const pool = async <I, O>(items: I[], width: number, work: (item: I, index: number) => Promise<O>): Promise<O[]> => {
  const answers = new Array<O>(items.length);
  let next = 0;
  const run = async () => {
    for (let index = next++; index < items.length; index = next++) answers[index] = await work(items[index] as I, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run));
  return answers;
};

export const file = (
  person: Person,
  resourceId: string,
  fields: Record<string, unknown> = {},
  headers?: Record<string, string>,
): Promise<Answer> =>
  call('POST', '/requests', {
    token: person.token,
    body: { resourceId, role: 'reader', justification: 'One table for an incident', duration: 'PT2H', ...fields },
    headers,
  });

/** Files a request that must be accepted. */
export const filed = async (person: Person, resourceId: string, fields?: Record<string, unknown>): Promise<Item> => {
  const answer = await file(person, resourceId, fields);
  if (answer.status !== 201) throw new Error(`filing: ${answer.status} ${answer.text}`);
  return answer.body as Item;
};

export const decide = (person: Person, requestId: string, verb: 'approve' | 'reject' = 'approve'): Promise<Answer> =>
  call('POST', `/requests/${requestId}/${verb}`, { token: person.token, body: { comment: 'checked' } });

export const statusOf = async (person: Person, requestId: string): Promise<string> =>
  String((await must(200, 'GET', `/requests/${requestId}`, { token: person.token })).status);

/** Waits until the request has the status. */
export const reaches = (person: Person, requestId: string, status: string): Promise<Item> =>
  until(`${requestId} is ${status}`, async () => {
    const request = (await must(200, 'GET', `/requests/${requestId}`, { token: person.token })) as Item;
    return request.status === status && request;
  });

/** The caller's grants of one request. */
export const grantsOf = async (person: Person, requestId: string): Promise<Item[]> =>
  await listAll(`/grants/me?filter[requestId][eq]=${requestId}`, person.token);

/** The audit events about one thing. */
export const auditOf = (reader: Person, entityId: string): Promise<Item[]> =>
  listAll(`/org/audit?filter[entityId][eq]=${entityId}&sort=sequence`, reader.token);

export const codeOf = (answer: Answer): string | undefined => answer.body.error?.code;
