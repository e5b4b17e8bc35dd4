import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../paths.ts';

export const acceptedFile = 'deploy/supply-chain.yaml';

const reason = z.string().min(10);

const accepted = z.strictObject({
  licences: z.array(z.string()),
  advisories: z.array(
    z.strictObject({
      advisory: z.string().regex(/^GHSA(-[0-9a-z]{4}){3}$/),
      package: z.string(),
      reason,
      /** The last day on which it is accepted. */
      until: z.iso.date(),
    }),
  ),
  secrets: z.array(z.strictObject({ file: z.string(), finding: z.string(), reason })),
});

export type Accepted = z.infer<typeof accepted>;

/** What is accepted of others' code and of our own files. */
export const readAccepted = (): Accepted => accepted.parse(parse(readFileSync(join(root, acceptedFile), 'utf8')));
