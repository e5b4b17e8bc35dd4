import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { createLogger } from '@accessops/telemetry';
import { type OwnRedis, startOwnRedis, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayOverrides, RunningGateway } from '../src/app.ts';
import { type Answer, type Call, callTo, type Person, password, startTestGateway, startWorld, type World } from './world.ts';

const redis = await startOwnRedis();

const brief = ({ status, body }: Answer) => [status, body.error?.code];
const statuses = (answers: Answer[]) => answers.map(({ status }) => status);
/** How many were not one call too many. */
const passed = (answers: Answer[]) => answers.filter(({ status }) => status !== 429).length;

/** How many guesses beyond the first ten have their turn in a time: the first at once, the others after two seconds, four more, eight more. */
const turnsWithin = (ms: number): number => 1 + Math.floor(Math.log2(1 + ms / 2000));

/** Writes bytes and answers all that comes back until the other side closes. */
const raw = (port: number, write: (socket: Socket) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => write(socket));
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error) => (text ? resolve(text) : reject(error)));
  });

describe('the front door', () => {
  let world: World;
  let admin: Person;
  let slug: string;
  const open: RunningGateway[] = [];

  /** Another gateway of the same platform, with limits. */
  const door = async (
    overrides: Record<string, string> = {},
    more: GatewayOverrides = {},
  ): Promise<{ call: Call; gateway: RunningGateway }> => {
    const config = { EVENTS_NAMESPACE: world.namespace, ACCESSOPS_RATE_LIMIT: 'on', ...overrides };
    const gateway = await startTestGateway(world.addresses, config, more);
    open.push(gateway);
    return { call: callTo(gateway.url), gateway };
  };
  const times = (count: number, make: (index: number) => Promise<Answer>) =>
    Promise.all(Array.from({ length: count }, (_, index) => make(index)));

  beforeAll(async () => {
    world = await startWorld();
    ({ admin, slug } = await world.organization());
  });
  afterAll(async () => {
    for (const gateway of open) await gateway.close();
    await world.close();
    await redis?.stop();
  });

  describe('limits', () => {
    test('when a user calls, then the answer tells where they stand, and one call too many is refused', async () => {
      const { call } = await door({ RATE_LIMIT_USER: '3' });
      const policy = '"user";q=3;w=60, "tenant";q=15000;w=60';
      for (const remaining of [2, 1, 0]) {
        const { status, headers } = await call('GET', '/me', { token: admin.token });
        expect([status, headers['ratelimit-policy']]).toEqual([200, policy]);
        expect(headers.ratelimit).toMatch(new RegExp(`^"user";r=${remaining};t=\\d+, "tenant";r=149\\d\\d;t=\\d+$`));
      }
      const refused = await call('GET', '/me', { token: admin.token });
      expect(brief(refused)).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(refused.headers.ratelimit).toMatch(/^"user";r=0;t=\d+$/);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(refused.body.retryAfter).toBe(Number(refused.headers['retry-after']));
    });

    test('when the calls of a user come all at once, then exactly as many pass', async () => {
      const { call } = await door({ RATE_LIMIT_USER: '40' });
      expect(passed(await times(100, () => call('GET', '/me', { token: admin.token })))).toBe(40);
    });

    test('when a tenant has used up its calls, then none of its people get in, and others do', async () => {
      const { call } = await door({ RATE_LIMIT_TENANT: '6' });
      const colleague = await world.person(admin, slug, ['requester']);
      const other = await world.organization();
      expect(passed(await times(6, () => call('GET', '/me', { token: admin.token })))).toBe(6);
      const refused = await call('GET', '/me', { token: colleague.token });
      expect(brief(refused)).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(refused.headers.ratelimit).toMatch(/"tenant";r=0;t=\d+$/);
      expect((await call('GET', '/me', { token: other.admin.token })).status).toBe(200);
    });

    test('when an address calls without a good token too often, then 429 takes the place of every other answer', async () => {
      const { call } = await door({ RATE_LIMIT_ADDRESS: '4' });
      expect(brief(await call('GET', '/me', { token: 'bad' }))).toEqual([401, 'INVALID_TOKEN']);
      expect(brief(await call('GET', '/me'))).toEqual([401, 'INVALID_TOKEN']);
      expect(brief(await call('GET', '/nothing-here'))).toEqual([404, 'ROUTE_NOT_FOUND']);
      expect((await call('POST', '/auth/refresh', { body: { refreshToken: 'x' } })).headers.ratelimit).toMatch(/^"address";r=0;t=/);
      for (const [method, path] of [
        ['GET', '/me'],
        ['GET', '/nothing-here'],
        ['POST', '/auth/login'],
      ] as const)
        expect(brief(await call(method, path, { token: 'bad' }))).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect((await call('GET', '/me', { token: admin.token })).status).toBe(200);
      expect((await call('GET', '//livez')).status).toBe(200);
    });

    test('when a session has ended, then its token counts as no good one', async () => {
      const { call } = await door({ RATE_LIMIT_ADDRESS: '3' });
      const { token, refreshToken } = await world.person(admin, slug, ['requester']);
      await world.call('POST', '/auth/logout', { body: { refreshToken } });
      await until(async () => (await call('GET', '/me', { token })).status === 429);
    });

    test('when limits are off, then nothing is counted or told', async () => {
      const { call } = await door({ ACCESSOPS_RATE_LIMIT: 'off', RATE_LIMIT_USER: '1', RATE_LIMIT_ADDRESS: '1' });
      const answers = await times(5, () => call('GET', '/me', { token: admin.token }));
      expect(statuses(answers)).toEqual([200, 200, 200, 200, 200]);
      expect(answers[0]?.headers).not.toHaveProperty('ratelimit');
      expect(statuses(await times(3, () => call('GET', '/me')))).toEqual([401, 401, 401]);
    });
  });

  describe('the address of a client', () => {
    const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } });

    test('when nobody is trusted, then a forged X-Forwarded-For makes no difference', async () => {
      const { call } = await door({ RATE_LIMIT_ADDRESS: '2' });
      const answers = [];
      for (let index = 1; index <= 4; index++) answers.push(await call('GET', '/me', forwarded(`203.0.113.${index}`)));
      expect(statuses(answers)).toEqual([401, 401, 429, 429]);
    });

    test('when a proxy is trusted, then each of its clients counts by itself, and cannot make up another', async () => {
      const { call } = await door({ RATE_LIMIT_ADDRESS: '2', TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1' });
      for (let index = 1; index <= 4; index++) expect((await call('GET', '/me', forwarded(`203.0.113.${index}`))).status).toBe(401);
      const answers = [];
      for (let index = 1; index <= 4; index++)
        answers.push(await call('GET', '/me', forwarded(`192.0.2.${index}, 198.51.100.7, 10.1.1.1`)));
      expect(statuses(answers)).toEqual([401, 401, 429, 429]);
    });

    test('when something is done, then the audit names the address that counts', async () => {
      const { call } = await door({ TRUSTED_PROXIES: '127.0.0.1' });
      const name = `Team ${Date.now()}`;
      const team = await call('POST', '/org/teams', {
        token: admin.token,
        body: { name },
        headers: { 'x-forwarded-for': '192.0.2.99, 2001:db8::77' },
      });
      const filter = `filter[entityId][eq]=${team.body.id}`;
      const [event] = await until(async () => {
        const { items } = (await call('GET', `/org/audit?${filter}`, { token: admin.token })).body;
        return items?.length ? items : undefined;
      });
      expect(event?.ip).toBe('2001:db8::77');
    });
  });

  describe('signing in', () => {
    const home = { headers: { 'x-forwarded-for': '198.51.100.10' } };
    const enemy = { headers: { 'x-forwarded-for': '198.51.100.66' } };
    const login = (call: Call, email: string, secret: string, from: typeof home) =>
      call('POST', '/auth/login', { body: { email, password: secret }, ...from });

    test('when somebody guesses, then they have to wait, whether or not there is such an account, and the owner gets in', async () => {
      const { call } = await door({ TRUSTED_PROXIES: '127.0.0.1' });
      const owner = await world.person(admin, slug, ['requester']);
      const guess = (email: string) => times(40, () => login(call, email, 'wrong-password-here', enemy));
      for (const email of [owner.email, 'nobody@nowhere.test']) {
        const startedAt = performance.now();
        const answers = await guess(email);
        const looked = answers.filter(({ status }) => status === 401).length;
        expect(looked).toBeGreaterThanOrEqual(10);
        expect(looked).toBeLessThanOrEqual(10 + turnsWithin(performance.now() - startedAt));
        const refused = answers.filter(({ status }) => status === 429);
        expect(refused).toHaveLength(40 - looked);
        for (const answer of refused) {
          expect(brief(answer)).toEqual([429, 'TOO_MANY_ATTEMPTS']);
          expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        }
      }
      expect((await login(call, owner.email, password, home)).status).toBe(200);
      // The one who shares the address with the guesser gets in when it is their turn.
      await until(async () => (await login(call, owner.email, password, enemy)).status === 200, { timeoutMs: 60_000 });
    });
  });

  describe.runIf(redis)('with Redis', () => {
    const shared = redis as OwnRedis;
    // Whoever counts elsewhere while Redis is slow for a moment would not count together.
    const patient = { REDIS_TIMEOUT_MS: '30000' };
    const two = async (overrides: Record<string, string>) => {
      const config = { REDIS_URL: shared.url, TRUSTED_PROXIES: '127.0.0.1', ...overrides };
      const counting = async () => {
        let told = '';
        const destination = new Writable({
          write: (chunk: Buffer, _encoding, done) => {
            told += chunk.toString();
            done();
          },
        });
        const { call } = await door(config, { log: createLogger('gateway', 'info', destination) });
        await until(() => told.includes('limits are counted in Redis'));
        return call;
      };
      return [await counting(), await counting()] as [Call, Call];
    };
    const person = () => world.person(admin, slug, ['requester']);

    test('when two gateways count together, then a user gets what the limit says, and no more', async () => {
      const [one, other] = await two({ ...patient, RATE_LIMIT_USER: '60' });
      const { token } = await person();
      const answers: Answer[] = [];
      for (let round = 0; round < 30; round++)
        answers.push(...(await times(4, (index) => (index % 2 ? one : other)('GET', '/me', { token }))));
      expect(passed(answers)).toBeLessThanOrEqual(60);
      expect(passed(answers)).toBeGreaterThanOrEqual(54);
      expect(brief(await one('GET', '/me', { token }))).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(brief(await other('GET', '/me', { token }))).toEqual([429, 'TOO_MANY_REQUESTS']);
    });

    test('when somebody guesses at two gateways, then they count together', async () => {
      const [one, other] = await two(patient);
      const { email } = await person();
      const from = { headers: { 'x-forwarded-for': '203.0.113.77' } };
      const body = { email, password: 'wrong-password-here' };
      const startedAt = performance.now();
      const answers = await times(30, (index) => (index % 2 ? one : other)('POST', '/auth/login', { body, ...from }));
      const looked = statuses(answers).filter((status) => status === 401).length;
      expect(looked).toBeGreaterThanOrEqual(10);
      expect(looked).toBeLessThanOrEqual(10 + turnsWithin(performance.now() - startedAt));
    });

    test('when Redis goes away, stops answering or comes back, then people are served, and counted all the same', async () => {
      const [one] = await two({ RATE_LIMIT_USER: '10' });
      const served = async () => {
        const { token, email } = await person();
        const answers = [];
        for (let time = 0; time < 21; time++) answers.push(await one('GET', '/me', { token }));
        // Who is counted here and there in one minute gets the limit of both at most.
        expect(passed(answers)).toBeGreaterThanOrEqual(10);
        expect(answers[20]?.status).toBe(429);
        expect((await one('POST', '/auth/login', { body: { email, password, tenant: slug } })).status).toBe(200);
      };
      await served();
      await shared.stop();
      await served();
      await shared.start();
      await served();
      shared.freeze();
      await served();
      shared.thaw();
      await served();
    });
  });

  describe('headers for browsers', () => {
    const origin = 'https://console.example.test';

    test('when anything is answered, then browsers may neither run, frame nor guess it', async () => {
      const { call } = await door();
      const answers = [
        await call('GET', '/me', { token: admin.token }),
        await call('GET', '/me'),
        await call('GET', '/nothing-here'),
        await call('POST', '/auth/logout', { body: { refreshToken: 'x' } }),
        await call('GET', '//health'),
        await call('GET', '/org/audit/export', { token: admin.token }),
      ];
      for (const { headers } of answers) {
        expect(headers).toMatchObject({
          'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'no-store',
        });
        expect(headers).not.toHaveProperty('strict-transport-security');
        expect(headers).not.toHaveProperty('x-powered-by');
      }
      const docs = await call('GET', '//docs');
      expect(docs.headers['content-security-policy']).toContain("script-src 'self'");
      expect(docs.headers['x-frame-options']).toBe('DENY');
    });

    test('when it is production, then browsers are told to keep to HTTPS', async () => {
      const { call } = await door({ ACCESSOPS_ENV: 'production' });
      expect((await call('GET', '//livez')).headers['strict-transport-security']).toBe('max-age=63072000; includeSubDomains');
    });

    test('when a page of an allowed origin asks, then it may, with what it needs', async () => {
      const { call } = await door({ CORS_ORIGINS: `https://other.test, ${origin}` });
      const preflight = await call('OPTIONS', '/me', {
        headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,if-match' },
      });
      expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin]);
      expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
      expect(preflight.headers['access-control-allow-headers']).toMatch(/Authorization.*If-Match.*X-Access-Reason/);
      const answer = await call('GET', '/me', { token: admin.token, headers: { origin } });
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': expect.stringMatching(/WWW-Authenticate.*RateLimit/),
        vary: expect.stringContaining('Origin'),
        'x-frame-options': 'DENY',
      });
      const refused = await call('GET', '/me', { headers: { origin } });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);
      const exported = await call('GET', '/org/audit/export', { token: admin.token, headers: { origin } });
      expect([exported.status, exported.headers['access-control-allow-origin']]).toEqual([200, origin]);
      expect((await call('HEAD', '/me', { token: admin.token, headers: { origin } })).status).toBe(200);
    });

    test.each([
      ['another origin', { CORS_ORIGINS: origin }, 'https://evil.test'],
      ['an origin that begins alike', { CORS_ORIGINS: origin }, `${origin}.evil.test`],
      ['no origin at all', { CORS_ORIGINS: origin }, 'null'],
      ['any origin, while none is allowed', {}, origin],
    ])('when a page of %s asks, then it cannot read the answer', async (_, overrides, from) => {
      const { call } = await door(overrides);
      const headers = { origin: from, 'access-control-request-method': 'GET' };
      for (const answer of [await call('OPTIONS', '/me', { headers }), await call('GET', '/me', { token: admin.token, headers })])
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    });
  });

  describe('time and size', () => {
    // Who is idle is not slow: a machine that stands still would take one for the other.
    const timeouts = { HEADERS_TIMEOUT_MS: '300', REQUEST_TIMEOUT_MS: '600' };
    const head = (...lines: string[]) => `${lines.join('\r\n')}\r\nHost: x\r\nAuthorization: Bearer ${admin.token}\r\n`;
    const json = 'Content-Type: application/json';

    test('when headers come too slowly, then 408', async () => {
      const { gateway } = await door(timeouts);
      const text = await raw(gateway.port, (socket) => {
        socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n');
        const drip = setInterval(() => socket.write('X-Slow: 1\r\n'), 50);
        socket.on('close', () => clearInterval(drip));
      });
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain('REQUEST_TIMEOUT');
      expect(text).toContain('x-frame-options: DENY');
    });

    test('when a body comes too slowly, then 408', async () => {
      const { gateway } = await door(timeouts);
      const text = await raw(gateway.port, (socket) => {
        socket.write(`${head('POST /api/v1/org/teams HTTP/1.1', json, 'Content-Length: 1000')}\r\n{`);
        const drip = setInterval(() => socket.write(' '), 50);
        socket.on('close', () => clearInterval(drip));
      });
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
    });

    test('when a connection says nothing, or nothing more, then it is closed', async () => {
      const { gateway } = await door({ IDLE_TIMEOUT_MS: '400' });
      expect(await raw(gateway.port, () => undefined)).not.toMatch(/ 200 /);
      // One that was answered; while the machine stands still, it is closed before it is heard.
      await until(async () => {
        const text = await raw(gateway.port, (socket) => socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'));
        return text.startsWith('HTTP/1.1 200 ');
      });
    });

    test.each([
      ['a route', '/api/v1/org/teams'],
      ['no route', '/api/v1/nothing-here'],
    ])('when a chunked body for %s has no end, then it is not read to its end', async (_, path) => {
      const { gateway } = await door();
      let sent = 0;
      const text = await raw(gateway.port, (socket) => {
        socket.write(`${head(`POST ${path} HTTP/1.1`, json, 'Transfer-Encoding: chunked')}\r\n`);
        const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
        const pump = () => {
          while (!socket.destroyed && sent < 1024 ** 3) {
            sent += chunk.length;
            if (!socket.write(chunk)) return socket.once('drain', pump);
          }
          return socket;
        };
        pump();
      });
      expect(text).toMatch(/^HTTP\/1\.1 4(13|04) /);
      expect(sent).toBeLessThan(256 * 1024 ** 2);
    });

    test('when X-Request-Id is none, then another takes its place', async () => {
      const { call } = await door();
      for (const bad of ['x'.repeat(129), 'a b', '<script>', 'a;b']) {
        const { headers } = await call('GET', '//livez', { headers: { 'x-request-id': bad } });
        expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      }
      expect((await call('GET', '//livez', { headers: { 'x-request-id': 'mine-1' } })).headers['x-request-id']).toBe('mine-1');
    });
  });
});
