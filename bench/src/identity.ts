import { readFileSync } from 'node:fs';
import { createMinter, processPrincipal } from '@accessops/authn';
import { createAuthorizer } from '@accessops/authz';
import type { Platform } from '@accessops/dev';
import { Metadata } from '@accessops/grpc';
import pg from 'pg';
import { createAuthenticator } from '../../gateway/src/authenticate.ts';
import { createCaller, createPrincipals } from '../../gateway/src/principals.ts';
import { connectServices } from '../../gateway/src/services.ts';
import { loop } from './load.ts';
import { seedPeople } from './people.ts';
import { figure, line } from './print.ts';
import { call, prepare, type Scenario } from './scenario.ts';

const seconds = 8;

type MeasureReads = (name: string, extra?: string) => Promise<void>;

/** Milliseconds of this process's CPU, and of the clock, that one of `count` steps takes. */
const costOf = async (count: number, step: () => Promise<unknown>): Promise<{ cpuMs: number; ms: number }> => {
  for (let index = 0; index < count; index++) await step();
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  for (let index = 0; index < count; index++) await step();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000 / count, ms: (performance.now() - from) / count };
};

/** The gateway's own way from an `Authorization` header to a decision, in this process, with identity and Cerbos behind it. */
const openDoor = async ({ ports, secrets }: Platform, issuer: string) => {
  const services = connectServices({
    identity: `127.0.0.1:${ports.identity}`,
    requests: `127.0.0.1:${ports.requests}`,
    approvals: `127.0.0.1:${ports.approvals}`,
    provisioner: `127.0.0.1:${ports.provisioner}`,
    audit: `127.0.0.1:${ports.audit}`,
  });
  const minter = await createMinter(JSON.parse(readFileSync(secrets.files.gatewayPrincipalKey, 'utf8')));
  const gateway = createCaller(minter, processPrincipal('gateway', 'gateway'));
  const options = async () => {
    const metadata = new Metadata();
    metadata.set('authorization', await gateway.authorization());
    return { metadata };
  };
  const authenticate = createAuthenticator({
    issuer,
    fetchJwks: async () => JSON.parse((await services.identity.getJwks({}, await options())).jwksJson),
  });
  const authorizer = createAuthorizer({ address: `127.0.0.1:${ports.cerbos}` });
  const principals = createPrincipals({
    resolve: async (question) => services.identity.resolvePrincipal(question, await options()),
    resolveApiKey: async (question) => services.identity.resolveApiKey(question, await options()),
    minter,
    ttlMs: () => 600_000,
  });
  return {
    enter: async (token: string) => {
      const { principal } = await principals.callerOf(await authenticate(`Bearer ${token}`), '', 'app');
      await authorizer.authorize(principal, { kind: 'me', action: 'read', version: 'route' });
    },
    forget: () => {
      principals.dropAll();
      authorizer.forget();
    },
    resolve: async (subject: string, sessionId: string, slug: string) => {
      await services.identity.resolvePrincipal({ subject, sessionId, organizations: [slug], tenant: '' }, await options());
    },
    close: () => {
      services.close();
      authorizer.close();
    },
  };
};

const measureDoor = async (platform: Platform, { requesters: [token = ''] }: Scenario) => {
  const door = await openDoor(platform, platform.url);
  const cached = await costOf(20_000, () => door.enter(token));
  const uncached = await costOf(1000, () => {
    door.forget();
    return door.enter(token);
  });
  console.log(
    `${'authenticate + authorize, cached'.padEnd(34)} ${cached.cpuMs.toFixed(4)} ms of CPU per request   (mark: ≤ 0.25)\n` +
      `${'  with nothing cached'.padEnd(34)} ${uncached.cpuMs.toFixed(2)} ms of CPU, ${uncached.ms.toFixed(2)} ms in all (identity and Cerbos asked)`,
  );

  const database = new pg.Client({ connectionString: platform.adminUrl });
  await database.connect();
  try {
    for (const tenants of [10, 1000]) {
      const people = await seedPeople(database, { tenants, peopleOfEach: 100 });
      const lookup = await loop(8, seconds, async () => {
        const { id, sessionId, slug } = people();
        await door.resolve(id, sessionId, slug);
      });
      line(`principal of ${tenants * 100} in ${tenants} tenants`, lookup);
    }
  } finally {
    await database.end();
    door.close();
  }
};

const measureSessions = async ({ url, people }: Scenario, measureReads: MeasureReads) => {
  let count = 0;
  const logIn = async () => {
    const person = people[count++ % people.length];
    return String((await call(url, 'POST', '/auth/login', undefined, { ...person, audience: 'app' }, 200)).refreshToken);
  };
  const [logins] = await Promise.all([
    loop(8, seconds, async () => {
      await logIn();
    }),
    measureReads('  GET /me meanwhile', '   (mark: p95 ≤ 2 × that of alone)'),
  ]);
  line('POST /auth/login, 8 clients', logins, '   argon2id, 19 MiB, two passes');

  const sessions = await Promise.all(Array.from({ length: 16 }, logIn));
  const refreshes = await loop(sessions.length, seconds, async () => {
    const refreshToken = sessions.pop();
    sessions.push(String((await call(url, 'POST', '/auth/refresh', undefined, { refreshToken }, 200)).refreshToken));
  });
  line(`POST /auth/refresh, ${sessions.length} clients`, refreshes);
};

const changes = 10_000;

const measureStorm = async ({ url, admin }: Scenario, measureReads: MeasureReads) => {
  const { items } = await call(url, 'GET', '/org/users?filter[email][like]=requester%25', admin, undefined, 200);
  const users = (items as { id: string }[]).map(({ id }) => id);
  let made = 0;
  const change = async () => {
    const user = users[made % users.length];
    const orgRoles = Math.floor(made++ / users.length) % 2 === 0 ? ['requester', 'auditor'] : ['requester'];
    await call(url, 'PATCH', `/org/memberships/${user}`, admin, { orgRoles }, 200);
  };
  const from = performance.now();
  const client = async () => {
    while (made < changes) await change();
  };
  const [storm] = await Promise.all([
    Promise.all(Array.from({ length: 8 }, client)).then(() => performance.now() - from),
    measureReads('  GET /me meanwhile'),
  ]);
  console.log(`${`${figure(changes)} membership changes`.padEnd(34)} ${figure((changes / storm) * 1000).padStart(8)}/s`);
};

/** Logins, refreshes, what the front door costs, and how reads fare beside logins and a storm of membership changes. */
export const measureIdentity = async (platform: Platform): Promise<void> => {
  const scenario = await prepare(platform.url);
  const measureReads: MeasureReads = async (name, extra) => {
    const measured = await loop(4, seconds, async () => {
      await call(platform.url, 'GET', '/me', scenario.requesters[0], undefined, 200);
    });
    line(name, measured, extra);
  };
  console.log('\nidentity and authorization, separate processes');
  await measureReads('GET /me, 4 clients, alone');
  await measureSessions(scenario, measureReads);
  await measureStorm(scenario, measureReads);
  await measureDoor(platform, scenario);
};
