import { randomBytes } from 'node:crypto';
import type { Principal } from '@accessops/authn';
import { newId } from '@accessops/db';
import { type Broker, connectBroker, ensureStream, headersOf, publish } from '@accessops/events';
import { type CallOptions, connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { ApprovalsService, type DecideResponse } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { TeamChangedSchema, UserCreatedSchema, UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { RunningService } from '@accessops/service';
import {
  createDatabase,
  infrastructure,
  mintPrincipal,
  namespace as newNamespace,
  serviceEnvironment,
  type TestDatabase,
  until,
} from '@accessops/testing';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { startRequests } from '../../requests/src/app.ts';
import { configFrom as requestsConfigFrom } from '../../requests/src/config.ts';
import { startApprovals } from '../src/app.ts';
import { configFrom } from '../src/config.ts';

/** Somebody of a tenant. */
export type Person = Pick<Principal, 'id' | 'email' | 'tenantId' | 'orgRoles' | 'teams'>;

export interface Plan {
  sensitivity?: 'low' | 'medium' | 'high';
  pii?: boolean;
  owningTeamId?: string;
}

export interface Vote {
  verdict?: 'APPROVE' | 'REJECT';
  comment?: string;
  /** Idempotency-Key. */
  key?: string;
}

export interface SuiteOptions {
  /** Of approvals, all on one database. */
  instances?: number;
  /** What differs for approvals. */
  environment?: Record<string, string>;
}

/** An event that has been sent, to be sent again. */
export type Sent = () => Promise<void>;

// A hundred votes at once stand in one line, on a machine that stands still at times.
const patience = 60_000;

/** Options of a call by somebody. */
export const as = async (who: Partial<Principal>, key?: string): Promise<CallOptions> => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${await mintPrincipal(who)}`);
  metadata.set('x-request-id', newId());
  if (key) {
    metadata.set('idempotency-key', encodeURIComponent(`POST /decide ${key}`));
    metadata.set('idempotency-fingerprint', 'the same body');
  }
  return { metadata, deadlineMs: patience };
};

/** What came of a call: `ok` or the code of its error. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => String((error as { code?: unknown }).code),
  );

/** How many of each there are. */
export const tallyOf = (values: string[]): Record<string, number> =>
  Object.fromEntries([...new Set(values)].sort().map((value) => [value, values.filter((other) => other === value).length]));

/** Runs `work` for each item, `width` at a time. */
export const pool = async <T, R>(items: T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  const rest = [...items.entries()];
  const worker = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
};

/** Approvals and requests with a database and a namespace of their own, and somebody who tells of users as identity does. */
export class Suite {
  readonly requests: ServiceClient<typeof RequestsService>;
  readonly tenantId = newId();
  readonly database: TestDatabase;
  readonly namespace: string;
  /** A superuser's connections, which row-level security does not hold. */
  readonly sql: pg.Pool;
  readonly #instances: ServiceClient<typeof ApprovalsService>[];
  #calls = 0;
  readonly #broker: Broker;
  readonly #running: RunningService[];
  readonly #resources = new Map<string, Promise<string>>();

  private constructor(database: TestDatabase, namespace: string, sql: pg.Pool, broker: Broker, running: RunningService[]) {
    this.database = database;
    this.namespace = namespace;
    this.sql = sql;
    this.#broker = broker;
    this.#running = running;
    const [requests, ...approvals] = running.map(({ address }) => address);
    this.requests = connect(RequestsService, requests ?? '');
    this.#instances = approvals.map((address) => connect(ApprovalsService, address));
  }

  /** One of the instances of approvals, by turns. */
  get approvals(): ServiceClient<typeof ApprovalsService> {
    const next = this.#instances[this.#calls++ % this.#instances.length];
    if (!next) throw new Error('No instance is running');
    return next;
  }

  static async start({ instances = 1, environment = {} }: SuiteOptions = {}): Promise<Suite> {
    const database = await createDatabase(['requests', 'approvals']);
    const namespace = newNamespace();
    const sql = new pg.Pool({ connectionString: database.adminUrl, options: '-c search_path=approvals' });
    const broker = await connectBroker(infrastructure().nats);
    await Promise.all(['identity', 'requests', 'approvals', 'provisioner'].map((producer) => ensureStream(broker, namespace, producer)));
    const requests = await startRequests(requestsConfigFrom(serviceEnvironment('requests', { database, namespace })));
    const overrides = { REQUESTS_ADDRESS: requests.address, ...environment };
    const own = serviceEnvironment('approvals', { database, namespace, overrides });
    const approvals = await Promise.all(Array.from({ length: instances }, () => startApprovals(configFrom(own))));
    // Once it has looked at its stream: what is told in its name before that would be taken for events that its database has lost.
    await until(async () => (await sql.query('select 1 from requests.outbox_stream')).rowCount, { what: 'requests to lead' });
    return new Suite(database, namespace, sql, broker, [requests, ...approvals]);
  }

  async close(): Promise<void> {
    this.requests.close();
    for (const instance of this.#instances) instance.close();
    for (const service of this.#running.toReversed()) await service.close();
    await this.#broker.close();
    await this.sql.end();
    await this.database.drop();
  }

  /** Ends `requests`, for a suite of what happens then. */
  async stopRequests(): Promise<void> {
    await this.#running.shift()?.close();
  }

  /** Somebody new, whom no event has told of yet. */
  person(orgRoles: string[], teamIds: string[] = [], tenantId = this.tenantId): Person {
    const id = newId();
    return { id, email: `${id}@acme.test`, tenantId, orgRoles, teams: teamIds.map((team) => ({ id: team, role: 'member' })) };
  }

  /** Sends an event as its producer would; answers what sends the very same again. */
  async tell<D extends DescMessage>(producer: string, schema: D, message: MessageInitShape<D>, aggregateId: string): Promise<Sent> {
    const payload = toBinary(schema, create(schema, message));
    const origin = { requestId: newId(), ip: '', userAgent: '', traceparent: '' };
    const event = { id: newId(), type: schema.name, tenantId: this.tenantId, aggregateId, occurredAt: new Date(), origin, payload };
    const send = async () => {
      await publish(this.#broker, this.namespace, producer, {
        type: event.type,
        payload,
        headers: headersOf(producer, event),
        messageId: newId(),
      });
    };
    await send();
    return send;
  }

  /** Tells what somebody is now, and waits until it is known. */
  async know(person: Person, version: number, changes: { active?: boolean; orgRoles?: string[]; teamIds?: string[] } = {}): Promise<Sent> {
    const { id, email, orgRoles, teams } = person;
    const user = { id, email, active: true, orgRoles, teamIds: teams.map((team) => team.id), version, ...changes };
    const again = await this.tell('identity', version === 1 ? UserCreatedSchema : UserUpdatedSchema, { user }, id);
    await until(async () => (await this.rows('select 1 from person where id = $1 and version >= $2', [id, version])).length > 0, {
      what: `version ${version} of a person`,
    });
    return again;
  }

  /** Several people of the same roles, known to the service. */
  async people(count: number, orgRoles: string[], teamIds: string[] = []): Promise<Person[]> {
    const people = Array.from({ length: count }, () => this.person(orgRoles, teamIds));
    await Promise.all(people.map((person) => this.know(person, 1)));
    return people;
  }

  /** A team that requests knows. */
  async team(): Promise<string> {
    const teamId = newId();
    await this.tell('identity', TeamChangedSchema, { teamId, name: teamId, version: 1 }, teamId);
    return teamId;
  }

  /** Rows of approvals' tables. */
  async rows<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.sql.query<T & Record<string, unknown>>(text, values)).rows;
  }

  /** Names of the events about a request that approvals has put into its outbox, in order. */
  async told(requestId: string): Promise<string[]> {
    const rows = await this.rows<{ type: string }>('select type from outbox_event where aggregate_id = $1 order by id', [requestId]);
    return rows.map(({ type }) => type);
  }

  /** What has become of requests: their state in requests, and the events approvals has told of each. */
  async outcomesOf(requestIds: string[]): Promise<{ status: string; told: string[] }[]> {
    const rows = await this.rows<{ id: string; status: string; told: string[] }>(
      `select r.id, r.status, array(select o.type from outbox_event o where o.aggregate_id = r.id::text order by o.type) as told
       from requests.access_request r where r.id = any($1)`,
      [requestIds],
    );
    const byId = new Map(rows.map(({ id, ...outcome }) => [id, outcome]));
    return requestIds.map((id) => byId.get(id) ?? { status: '', told: [] });
  }

  /** A request by somebody, by default somebody new, for a resource whose plan is the one wanted. */
  async file(plan: Plan = {}, requester = this.person(['requester'])): Promise<{ id: string; requester: Person; resourceId: string }> {
    const resourceId = await this.#resource(plan, requester.tenantId ?? this.tenantId);
    const wish = { resourceId, role: 'reader', justification: 'a test', duration: 'PT2H' };
    const { id } = await this.requests.submitRequest(wish, await as(requester));
    return { id, requester, resourceId };
  }

  #resource(plan: Plan, tenantId: string): Promise<string> {
    const name = JSON.stringify([plan, tenantId]);
    const resource = this.#resources.get(name) ?? this.#createResource(plan, tenantId);
    this.#resources.set(name, resource);
    return resource;
  }

  async #createResource({ sensitivity = 'medium', pii = false, owningTeamId = '' }: Plan, tenantId: string): Promise<string> {
    const admin = await as({ ...this.person(['admin'], [], tenantId), audience: 'org-admin' });
    const key = `k-${randomBytes(6).toString('hex')}`;
    const simulated = { connector: 'simulated', roles: ['reader', 'writer'], maxDuration: 'PT8H', configJson: '{}' };
    const type = await this.requests.createResourceType({ key, name: key, sensitivity, pii, ...simulated }, admin);
    // A team is known a moment after it is told of.
    const resource = await until(() => this.requests.createResource({ key, name: key, resourceTypeId: type.id, owningTeamId }, admin));
    return resource.id;
  }

  /** Waits until the event has opened the case. */
  async opened(requestId: string): Promise<void> {
    await until(async () => (await this.rows('select 1 from approval_case where request_id = $1', [requestId])).length > 0, {
      what: 'the case',
    });
  }

  /** Waits until the case has a state. */
  async becomes(requestId: string, status: string): Promise<void> {
    await until(
      async () => (await this.rows('select 1 from approval_case where request_id = $1 and status = $2', [requestId, status])).length > 0,
      {
        what: `a case that is ${status}`,
      },
    );
  }

  async decide(who: Partial<Principal>, requestId: string, { verdict = 'APPROVE', comment = '', key }: Vote = {}): Promise<DecideResponse> {
    return this.approvals.decide({ requestId, verdict, comment }, await as(who, key));
  }

  /** The state in which requests has a request. */
  async stateOf(requestId: string): Promise<string> {
    const service = await as({ type: 'service', id: 'approvals', email: '', tenantId: this.tenantId, audience: 'public' });
    return (await this.requests.getRequest({ id: requestId }, service)).status;
  }
}
