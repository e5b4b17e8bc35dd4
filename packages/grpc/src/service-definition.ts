import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

const serialize = (schema: DescMessage) => (message: MessageShape<DescMessage>) => Buffer.from(toBinary(schema, message));
const deserialize = (schema: DescMessage) => (bytes: Buffer) => fromBinary(schema, bytes);

/** Where a method is found: /package.Service/Method. */
export const methodPath = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

/** What grpc-js needs to know of one method of a protobuf-es service descriptor. */
export const methodDefinition = (method: DescMethod): MethodDefinition<MessageShape<DescMessage>, MessageShape<DescMessage>> => ({
  path: methodPath(method),
  requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
  responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
  requestSerialize: serialize(method.input),
  requestDeserialize: deserialize(method.input),
  responseSerialize: serialize(method.output),
  responseDeserialize: deserialize(method.output),
  originalName: method.localName,
});

const asItIs = (bytes: Buffer) => bytes;

/** The whole service as grpc-js wants it; unary methods get and give bytes. */
export const serviceDefinition = (service: DescService): ServiceDefinition =>
  Object.fromEntries(
    service.methods.map((method) => [
      method.localName,
      method.methodKind === 'unary'
        ? { ...methodDefinition(method), requestDeserialize: asItIs, responseSerialize: asItIs }
        : methodDefinition(method),
    ]),
  );

/** A reply as a handler gives it, made whole. */
export const completeReply = <D extends DescMessage>(schema: D, reply: MessageInitShape<D>): MessageShape<D> => create(schema, reply);
