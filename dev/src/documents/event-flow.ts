import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, services, subscriptions, tells } from '@accessops/events/topology';
import { root } from '../paths.ts';
import { sourceFiles } from '../source-files.ts';

/** Types of events by the service that tells them, and by the one that reacts to them. */
export interface EventFlow {
  told: Map<Service, string[]>;
  heard: Map<Service, string[]>;
}

// What packages/events tells in the name of each of them.
const ofAll = 'DeadLetterReplayed';

// What only names a type of TypeScript is no mention.
const mention = /(?<!\btypeof )(\bon\(|\bstep\(|\bheardOf\(\w+,\s*)?\b([A-Z]\w+)Schema\b(\.name)?/g;

/**
 * Who tells and who hears what: what the topology says, held against the code of the services. Throws for an event of nobody, for one that is
 * told by another service than the topology says, and for one whose way it does not have.
 */
export const eventFlow = (types: readonly string[]): EventFlow => {
  const told = new Map<Service, string[]>();
  const heard = new Map<Service, string[]>();
  for (const service of services) {
    const text = sourceFiles(`services/${service}/src`, '.ts')
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(root, file), 'utf8').replaceAll(/^import [\s\S]*?;$/gm, ''))
      .join('\n');
    const mentions = [...text.matchAll(mention)].map(([, reaction, type = '', name]) => ({ type, isHeard: Boolean(reaction ?? name) }));
    const among = (isHeard: boolean) => types.filter((type) => mentions.some((found) => found.type === type && found.isHeard === isHeard));
    for (const type of among(false))
      if (!tells[service].includes(type)) throw new Error(`${service} tells ${type}, which the topology does not have`);
    for (const type of tells[service])
      if (types.includes(type) && type !== ofAll && !among(false).includes(type)) throw new Error(`${service} never tells ${type}`);
    told.set(
      service,
      types.filter((type) => tells[service].includes(type)),
    );
    heard.set(service, service === 'audit' ? [...types] : among(true));
  }
  for (const type of types) {
    if (!services.some((service) => told.get(service)?.includes(type))) throw new Error(`no service tells ${type}`);
    for (const service of services.filter((name) => heard.get(name)?.includes(type))) {
      if (!subscriptions[service].some((producer) => told.get(producer)?.includes(type)))
        throw new Error(`${service} reacts to ${type}, but listens to nobody who tells it`);
    }
  }
  return { told, heard };
};
