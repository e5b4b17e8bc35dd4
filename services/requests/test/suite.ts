import type { Principal } from '@accessops/authn';
import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { type Broker, connectBroker, type Event, ensureStream, headersOf, publish } from '@accessops/events';
import { connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { AnyEventSchema, TeamChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type AccessRequest, RequestsService, type Resource, type ResourceType } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { RunningService, ServiceOverrides } from '@accessops/service';
import {
  createDatabase,
  infrastructure,
  mintPrincipal,
  namespace as newNamespace,
  serviceEnvironment,
  type TestDatabase,
  until,
} from '@accessops/testing';
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { startRequests } from '../src/app.ts';
import { configFrom } from '../src/config.ts';

export type Client = ServiceClient<typeof RequestsService>;
type Init<M extends keyof Client> = Client[M] extends (request: infer R, ...rest: never[]) => unknown ? R : never;

/** Somebody who calls. */
export interface Person {
  id: string;
  email: string;
  tenantId: string;
  /** Of whom a token is minted for each call: it is good for a minute, and a suite may take longer. */
  who: Partial<Principal>;
  metadata: Metadata;
}

/** What was put into the outbox about one thing. */
export interface Told {
  type: string;
  action: string;
  actor: { id: string; type: string };
  changes: Record<string, { before: unknown; after: unknown }>;
  requestId: string;
  payload: Uint8Array;
}

export interface SuiteOptions {
  overrides?: ServiceOverrides;
  environment?: Record<string, string>;
}

/** The service on a database and a namespace of the suite's own. */
export class Suite {
  readonly database: TestDatabase;
  readonly namespace: string;
  readonly service: RunningService;
  readonly client: Client;
  readonly admin: pg.Pool;
  private readonly broker: Broker;

  private constructor(parts: Pick<Suite, 'database' | 'namespace' | 'service' | 'client' | 'admin'> & { broker: Broker }) {
    this.database = parts.database;
    this.namespace = parts.namespace;
    this.service = parts.service;
    this.client = parts.client;
    this.admin = parts.admin;
    this.broker = parts.broker;
  }

  static async start({ overrides, environment }: SuiteOptions = {}): Promise<Suite> {
    const database = await createDatabase(['requests']);
    const namespace = newNamespace();
    const broker = await connectBroker(infrastructure().nats);
    for (const producer of ['identity', 'approvals', 'provisioner']) await ensureStream(broker, namespace, producer);
    const service = await startRequests(
      configFrom(serviceEnvironment('requests', { database, namespace, overrides: environment })),
      overrides,
    );
    const client = clientOf(service.address);
    const admin = new pg.Pool({ connectionString: database.adminUrl, options: '-c search_path=requests' });
    return new Suite({ database, namespace, service, client, admin, broker });
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.service.close();
    await this.broker.close();
    await this.admin.end();
    await this.database.drop();
  }

  /** Publishes an event as another service would; under the same id it is a duplicate. */
  async tell<D extends DescMessage>(
    producer: 'identity' | 'approvals' | 'provisioner',
    schema: D,
    message: MessageInitShape<D>,
    {
      tenantId,
      aggregateId,
      id = newId(),
      occurredAt = new Date(),
    }: { tenantId: string; aggregateId: string; id?: string; occurredAt?: Date },
  ): Promise<void> {
    const event: Event = {
      id,
      type: schema.name,
      tenantId,
      aggregateId,
      occurredAt,
      origin: { requestId: 'told', ip: '', userAgent: '', traceparent: '' },
      payload: toBinary(schema, create(schema, message)),
    };
    // A message id of its own: the stream is not to drop what the inbox has to recognize.
    await publish(this.broker, this.namespace, producer, {
      type: schema.name,
      payload: event.payload,
      headers: headersOf(producer, event),
      messageId: newId(),
    });
  }

  /** Waits until everything that was told has been handled. */
  async settled(): Promise<void> {
    await until(
      async () => {
        for (const producer of ['identity', 'approvals', 'provisioner']) {
          const { num_pending, num_ack_pending } = await this.broker.jsm.consumers.info(
            `${this.namespace}_${producer}`.toUpperCase(),
            'requests',
          );
          if (num_pending > 0 || num_ack_pending > 0) return false;
        }
        return true;
      },
      { what: 'all events handled' },
    );
  }

  /** What the outbox holds about one thing, in order. */
  async toldOf(aggregateId: string): Promise<Told[]> {
    const { rows } = await this.admin.query<{ type: string; payload: Buffer }>(
      'select type, payload from outbox_event where aggregate_id = $1 order by id',
      [aggregateId],
    );
    return rows.map(({ type, payload }) => {
      const { change } = fromBinary(AnyEventSchema, payload);
      return {
        type,
        action: change?.action ?? '',
        actor: { id: change?.actor?.id ?? '', type: change?.actor?.type ?? '' },
        changes: JSON.parse(change?.changesJson ?? '{}') as Told['changes'],
        requestId: change?.origin?.requestId ?? '',
        payload,
      };
    });
  }

  async actionsOf(aggregateId: string): Promise<string[]> {
    return (await this.toldOf(aggregateId)).map(({ action }) => action);
  }
}

/** A tenant's people and catalog. */
export class Tenant {
  readonly id: string = newId();
  private readonly suite: Suite;
  readonly admin: Promise<Person>;

  constructor(suite: Suite) {
    this.suite = suite;
    this.admin = this.person(['admin']);
  }

  async person(orgRoles: string[], partial: Partial<Principal> = {}): Promise<Person> {
    const id = newId();
    const email = `${id}@example.test`;
    const who = { id, email, tenantId: this.id, tenantSlug: 'acme', orgRoles, ...partial };
    return { id, email, tenantId: this.id, who, metadata: ownMetadata() };
  }

  /** The approvals service, acting in this tenant. */
  async approvals(): Promise<Person> {
    const who = { type: 'service', id: 'approvals', email: '', tenantId: this.id, audience: 'public', licenseTier: '' } as const;
    return { id: 'approvals', email: '', tenantId: this.id, who, metadata: ownMetadata() };
  }

  /** Tells of a team, as identity does, and waits until it is known. */
  async team(): Promise<string> {
    const teamId = newId();
    await this.suite.tell(
      'identity',
      TeamChangedSchema,
      { teamId, name: 'A team', version: 1 },
      { tenantId: this.id, aggregateId: teamId },
    );
    await this.suite.settled();
    return teamId;
  }

  async type(fields: Partial<Init<'createResourceType'>> = {}): Promise<ResourceType> {
    return this.suite.client.createResourceType({ ...typeFields(), ...fields } as Init<'createResourceType'>, await this.admin);
  }

  async resource(type: { id: string }, fields: Partial<Init<'createResource'>> = {}): Promise<Resource> {
    const key = `res-${newId()}`;
    return this.suite.client.createResource(
      { key, name: 'A resource', resourceTypeId: type.id, ...fields } as Init<'createResource'>,
      await this.admin,
    );
  }

  /** A request that waits for one approval. */
  async pending(requester: Person, fields: Partial<Init<'submitRequest'>> = {}): Promise<AccessRequest> {
    const resource = fields.resourceId ? { id: fields.resourceId } : await this.resource(await this.type());
    return this.suite.client.submitRequest(requestFields(resource, fields), requester);
  }
}

const ownMetadata = (): Metadata => {
  const metadata = new Metadata();
  metadata.set('x-request-id', 'test-request');
  return metadata;
};

const withToken = async (caller: Person): Promise<Person> => {
  const metadata = caller.metadata.clone();
  metadata.set('authorization', `Bearer ${await mintPrincipal(caller.who)}`);
  return { ...caller, metadata };
};

/** A client at an address, of people and processes who call with a token of their own. */
export const clientOf = (address: string): Client =>
  new Proxy(connect(RequestsService, address), {
    get: (client, name) => {
      const call = Reflect.get(client, name) as (...args: unknown[]) => unknown;
      return name === 'close' ? call : async (request: unknown, caller: Person) => call(request, await withToken(caller));
    },
  });

/** The same caller with more metadata. */
export const as = (person: Person, extra: Record<string, string>): Person => {
  const metadata = person.metadata.clone();
  for (const [name, value] of Object.entries(extra)) metadata.set(name, value);
  return { ...person, metadata };
};

export const typeFields = () => ({
  key: `type-${newId()}`,
  name: 'A type',
  connector: 'simulated',
  roles: ['reader', 'writer'],
  sensitivity: 'medium',
  maxDuration: 'P1D',
});

export const requestFields = (resource: { id: string }, fields: Partial<Init<'submitRequest'>> = {}): Init<'submitRequest'> =>
  ({
    resourceId: resource.id,
    role: 'reader',
    justification: 'One table for an incident',
    duration: 'PT2H',
    ...fields,
  }) as Init<'submitRequest'>;

/** The refusal of a call that must be refused. */
export const refused = async (call: Promise<unknown>): Promise<AppError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`not refused: ${String(error)}`);
};

export const codeOf = async (call: Promise<unknown>): Promise<string> => (await refused(call)).code;

/** How each call ended: OK or its error code. */
export const outcomes = (calls: Promise<unknown>[]): Promise<string[]> =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => 'OK',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      ),
    ),
  );

export const unknownId = '0190a0a0-0000-7000-8000-000000000000';
