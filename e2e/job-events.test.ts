import { beforeAll, expect, inject, test } from 'vitest';
import { call, codeOf, file, type Item, login, must, type Person, reaches, Tenant, until } from './client.ts';

interface Told {
  id: string;
  job: Item & { status: string; attempts: number; steps: { name: string; attempt: number; status: string; message: string | null }[] };
}

let tenant: Tenant;
let requester: Person;
let slow: Item;
/** Its jobs take longer than the machine stands still. */
let long: Item;

beforeAll(async () => {
  tenant = await Tenant.create('events');
  requester = await tenant.person('requester', ['requester']);
  slow = await tenant.type({ sensitivity: 'low', config: { latencyMs: 3000, failFirst: 1 } });
  long = await tenant.type({ sensitivity: 'low', config: { latencyMs: 10_000, answerLatencyMs: 5000 } });
});

const startJob = async (type: Item, who = requester): Promise<string> => {
  const resource = await tenant.resource(type.id);
  const { id } = (await file(who, resource.id, { duration: 'PT1H' })).body as Item;
  return until('a job', async () => (await must(200, 'GET', `/requests/${id}`, { token: who.token })).jobId as string | null);
};

const follow = (jobId: string, token: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${inject('url')}/api/v1/jobs/${jobId}/events`, { headers: { authorization: `Bearer ${token}`, ...headers } });

/** Events as they come. */
const read = async function* (answer: Response): AsyncGenerator<Told> {
  let text = '';
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id = '', data = ''] = /^id: (.+)\nevent: job\ndata: (.+)$/.exec(block) ?? [];
      if (id) yield { id, job: JSON.parse(data) };
    }
  }
};

const all = async (answer: Response): Promise<Told[]> => {
  const told: Told[] = [];
  for await (const one of read(answer)) told.push(one);
  return told;
};

/** What is told first; nothing more is listened to. */
const first = async (answer: Response): Promise<Told> => {
  const events = read(answer);
  const { value } = await events.next();
  await events.return(undefined);
  return value as Told;
};

const stepsOf = ({ job }: Told) => job.steps.map(({ name, attempt, status }) => `${attempt} ${name} ${status}`).join(', ');

test('when a job is followed, then each change is told while it happens, and the stream ends with the job', async () => {
  const wanted = ['1 APPLY RUNNING', '1 APPLY FAILED', '1 APPLY FAILED, 2 APPLY RUNNING', '1 APPLY FAILED, 2 APPLY SUCCEEDED'];
  const { jobId, told } = await until('a job that was followed from its beginning', async () => {
    const jobId = await startJob(slow);
    const answer = await follow(jobId, requester.token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    const told = await all(answer);
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    expect(told.at(-1)?.job).toMatchObject({ id: jobId, status: 'SUCCEEDED', attempts: 2 });
    expect(told.at(-1)?.job).toEqual(await must(200, 'GET', `/jobs/${jobId}/status`, { token: requester.token }));
    // Whoever comes late, because the machine stood still, is told what is by then.
    const seen = told.map(stepsOf);
    return wanted.every((state) => seen.includes(state)) && { jobId, told };
  });

  const last = told.at(-1)?.id ?? '';
  expect((await follow(jobId, requester.token, { 'last-event-id': last })).status).toBe(204);
  expect((await all(await follow(jobId, requester.token, { 'last-event-id': 'another' }))).map(({ id }) => id)).toEqual([last]);
});

test('when somebody comes back in the middle, then they are not told again what they know', async () => {
  const jobId = await startJob(long);
  const { id: known } = await first(await follow(jobId, requester.token));
  const next = await first(await follow(jobId, requester.token, { 'last-event-id': known }));
  expect(next.id).not.toBe(known);
});

test('when a job fails, then the stream ends, though it may be run again', async () => {
  const broken = await tenant.type({ sensitivity: 'low', config: { alwaysFail: true } });
  const { id } = (await file(requester, (await tenant.resource(broken.id)).id, { duration: 'PT1H' })).body as Item;
  const { jobId } = await reaches(requester, id, 'FAILED');
  const told = await all(await follow(String(jobId), requester.token));
  expect(told.map(({ job }) => job.status)).toEqual(['FAILED']);
  const failed = (await must(200, 'GET', `/org/jobs?filter[status][eq]=FAILED&filter[requestId][eq]=${id}`, { token: tenant.admin.token }))
    .items;
  expect(failed).toMatchObject([{ id: jobId, lastError: 'The simulated target always refuses', attempts: 5 }]);
});

test('when a job is another’s, then admins and auditors follow it, colleagues are refused, and to other tenants it is not there', async () => {
  const jobId = await startJob(long);
  const auditor = await tenant.person('auditor', ['auditor']);
  expect(await first(await follow(jobId, auditor.token))).toMatchObject({ job: { id: jobId } });
  const colleague = await tenant.person('colleague', ['requester']);
  const refused = await call('GET', `/jobs/${jobId}/events`, { token: colleague.token });
  expect([refused.status, codeOf(refused)]).toEqual([403, 'PERMISSION_DENIED']);
  const stranger = await Tenant.create('strange');
  expect((await call('GET', `/jobs/${jobId}/events`, { token: stranger.admin.token })).status).toBe(404);
  expect((await call('GET', `/jobs/${jobId}/events`)).status).toBe(401);
});

test('when the session ends, or the role is lost that allowed it, then the stream ends before the job', async () => {
  const jobId = await startJob(long);
  const session = (await login(requester.email, requester.password)).body;
  const auditor = await tenant.person('watcher', ['auditor']);
  const streams = [await follow(jobId, String(session.accessToken)), await follow(jobId, auditor.token)].map(all);
  await must(204, 'POST', '/auth/logout', { body: { refreshToken: session.refreshToken } });
  await must(200, 'PATCH', `/org/memberships/${auditor.id}`, { token: tenant.admin.token, body: { orgRoles: ['requester'] } });
  const told = await Promise.all(streams);
  expect((await must(200, 'GET', `/jobs/${jobId}/status`, { token: requester.token })).status).not.toBe('SUCCEEDED');
  for (const events of told) expect(events.at(-1)?.job.status).not.toBe('SUCCEEDED');
});

test('when somebody has ten streams, then the next is refused, until one of them is left', async () => {
  const { token } = await tenant.person('curious', ['auditor']);
  const jobId = await startJob(long);
  const leave = new AbortController();
  const open = () =>
    fetch(`${inject('url')}/api/v1/jobs/${jobId}/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: leave.signal,
    });
  const streams = await Promise.all(Array.from({ length: 10 }, open));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  const refused = await follow(jobId, token);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  leave.abort();
  await until('a place', async () => {
    const answer = await follow(jobId, token);
    await answer.body?.cancel();
    return answer.status === 200;
  });
});
