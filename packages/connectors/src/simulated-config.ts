import { z } from 'zod';
import { loginName } from './login-name.ts';

const count = z.number().int().min(0).max(100);
const milliseconds = z.number().int().min(0).max(10_000);

/** How a simulated target behaves. */
export const simulatedConfig = z.strictObject({
  alwaysFail: z.boolean().default(false).describe('Every attempt fails.'),
  failFirst: count.default(0).describe('The first n attempts fail before anything has happened.'),
  failAfterApplyFirst: count.default(0).describe('The first n attempts fail after the access was made: a target whose answer is lost.'),
  failRevokeFirst: count.default(0).describe('The first n attempts to take the access away fail.'),
  latencyMs: milliseconds.default(0).describe('How long each call takes before anything happens.'),
  target: loginName
    .optional()
    .describe('Names a target that few jobs may work at at a time, as a login does; without it there is no such limit.'),
  answerLatencyMs: milliseconds.default(0).describe('How long the answer takes after the access was made.'),
});

export type SimulatedConfig = z.infer<typeof simulatedConfig>;
