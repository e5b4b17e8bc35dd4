import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services, streamOf, subjectOf, subscriptions } from '@accessops/events/topology';
import { createFileRegistry, type DescField, type DescMessage, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { getComments } from '@bufbuild/protoplugin';
import { stringify } from 'yaml';
import { buf } from '../generate-proto.ts';
import { eventFlow } from './event-flow.ts';

type Schema = Record<string, unknown>;

const contract = 'accessops.events.v1';
const namespace = 'accessops';

/** The messages of the contract, with their comments. */
const readMessages = async (): Promise<DescMessage[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-events-'));
  try {
    const image = join(folder, 'image.binpb');
    await buf('build', '--output', image);
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
    return registry.getFile('accessops/events/v1/events.proto')?.messages ?? [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const commentOf = (desc: DescMessage | DescField): Schema => {
  const description = (getComments(desc).leading ?? '').trim().replaceAll(/\s*\n\s*/g, ' ');
  return description ? { description } : {};
};

const scalars: Partial<Record<ScalarType, Schema>> = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.INT32]: { type: 'integer', format: 'int32' },
  [ScalarType.UINT32]: { type: 'integer', format: 'int32', minimum: 0 },
  [ScalarType.DOUBLE]: { type: 'number' },
  // ProtoJSON writes 64 bits as text.
  [ScalarType.INT64]: { type: 'string', format: 'int64' },
  [ScalarType.UINT64]: { type: 'string', format: 'uint64' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
};

/** A field as ProtoJSON writes it; what it refers to is added to `found`. */
const schemaOfField = (field: DescField, found: Map<string, DescMessage>): Schema => {
  const one = ((): Schema => {
    if (field.message?.typeName === 'google.protobuf.Timestamp') return { type: 'string', format: 'date-time' };
    if (field.message) {
      found.set(field.message.name, field.message);
      return { $ref: `#/components/schemas/${field.message.name}` };
    }
    const scalar = field.scalar && scalars[field.scalar];
    if (!scalar) throw new Error(`${String(field)}: no schema is known for it`);
    return scalar;
  })();
  const listed = field.fieldKind === 'list' ? { type: 'array', items: one } : one;
  // Nothing may stand beside a $ref.
  return '$ref' in listed ? listed : { ...listed, ...commentOf(field) };
};

const schemaOf = (message: DescMessage, found: Map<string, DescMessage>): Schema => ({
  type: 'object',
  ...commentOf(message),
  properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, schemaOfField(field, found)])),
});

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });

const headers: Schema = {
  type: 'object',
  description: 'CloudEvents 1.0, binary content mode; values are percent-encoded where they may hold other than printable ASCII.',
  required: ['ce-specversion', 'ce-id', 'ce-type', 'ce-source', 'ce-subject', 'ce-time', 'ce-tenantid'],
  properties: {
    'ce-specversion': { type: 'string', const: '1.0' },
    'ce-id': text('The event: by it a listener knows that it has handled it.', { format: 'uuid' }),
    'ce-type': text('Name of the message.'),
    'ce-source': text('`/` and the service that tells it.'),
    'ce-subject': text('The aggregate: order is kept for each.'),
    'ce-time': text('When it happened.', { format: 'date-time' }),
    'ce-tenantid': text('The tenant; that of the platform for what concerns no tenant.'),
    'ce-requestid': text('`X-Request-Id` of the call that set things going.'),
    'ce-clientip': text('Where that call came from.'),
    'ce-useragent': text('What that call was made with.'),
    'Nats-Msg-Id': text('By it the stream takes an event once within its window.'),
    traceparent: text('W3C trace context.'),
  },
};

/** `docs/asyncapi.yaml`: who tells what over NATS, and who listens, as AsyncAPI 3. */
export const asyncApiDocument = async (): Promise<string> => {
  const messages = await readMessages();
  const byName = new Map(messages.map((message) => [message.name, message]));
  const types = messages.filter(({ fields, name }) => fields[0]?.name === 'change' && name !== 'AnyEvent').map(({ name }) => name);
  const { told, heard } = eventFlow(types);

  const schemas = new Map<string, Schema>();
  const found = new Map(types.map((type) => [type, byName.get(type) as DescMessage]));
  // Grows while it is read.
  for (const [name, message] of found) schemas.set(name, schemaOf(message, found));

  const refs = (producer: string, names: readonly string[]) => names.map((name) => ({ $ref: `#/channels/${producer}/messages/${name}` }));
  const channels = services.map((producer) => [
    producer,
    {
      address: subjectOf(namespace, producer, '{type}'),
      title: `Events of ${producer}`,
      description: `The stream ${streamOf(namespace, producer)} of JetStream.`,
      parameters: { type: { description: 'Name of the message.', enum: told.get(producer) } },
      messages: Object.fromEntries((told.get(producer) ?? []).map((type) => [type, { $ref: `#/components/messages/${type}` }])),
    },
  ]);
  const tells = services.map((producer) => [
    `${producer}_tells`,
    {
      action: 'send',
      channel: { $ref: `#/channels/${producer}` },
      summary: `${producer} tells what it has changed.`,
      messages: refs(producer, told.get(producer) ?? []),
    },
  ]);
  const hears = services.flatMap((listener) =>
    subscriptions[listener].map((producer) => {
      const common = (told.get(producer) ?? []).filter((type) => heard.get(listener)?.includes(type));
      return [
        `${listener}_hears_${producer}`,
        {
          action: 'receive',
          channel: { $ref: `#/channels/${producer}` },
          summary: `${listener} ${listener === 'audit' ? 'records' : 'reacts to'} what ${producer} tells.`,
          messages: refs(producer, common),
        },
      ];
    }),
  );

  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'AccessOps events',
      version: '1.0.0',
      description:
        'What the services tell each other over NATS JetStream. Bodies are protobuf messages of proto/accessops/events/v1/events.proto, the contract; schemas show them as ProtoJSON does. What is guaranteed is told in events.md.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/protobuf',
    servers: {
      nats: {
        host: '{host}',
        protocol: 'nats',
        description: 'NATS with JetStream, inside of the platform only; each service has a login of its own.',
        variables: { host: { default: 'nats:4222' } },
        security: [{ $ref: '#/components/securitySchemes/login' }],
      },
    },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries([...tells, ...hears]),
    components: {
      securitySchemes: { login: { type: 'userPassword' } },
      messages: Object.fromEntries(
        types.map((type) => [
          type,
          {
            name: type,
            ...(commentOf(byName.get(type) as DescMessage).description
              ? { summary: commentOf(byName.get(type) as DescMessage).description }
              : {}),
            headers: { $ref: '#/components/schemas/Headers' },
            payload: { $ref: `#/components/schemas/${type}` },
            'x-protobuf-message': `${contract}.${type}`,
          },
        ]),
      ),
      schemas: { Headers: headers, ...Object.fromEntries(schemas) },
    },
  };
  return `# Generated by \`npm run generate\` from proto/ and the code of the services: change it there.\n${stringify(document, { lineWidth: 140, aliasDuplicateObjects: false })}`;
};
