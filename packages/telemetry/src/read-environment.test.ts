import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readEnvironment } from './read-environment.ts';

const schema = z.object({
  PORT: z.coerce.number().int(),
  PASSWORD: z.string().min(8, 'must have 8 characters'),
  KEY_FILE: z.string(),
  LEVEL: z.enum(['info', 'warn']).default('info'),
});

describe('readEnvironment', () => {
  it('when all is there, then it is read', () => {
    expect(readEnvironment(schema, { PORT: '1', PASSWORD: 'long enough', KEY_FILE: '/key' })).toEqual({
      PORT: 1,
      PASSWORD: 'long enough',
      KEY_FILE: '/key',
      LEVEL: 'info',
    });
  });

  it('when several things are wrong, then each has its line, which names the variable and what to do', () => {
    const read = () => readEnvironment(schema, { PASSWORD_FILE: '/nowhere', LEVEL: 'loud' }, () => ['OTHER: does not fit PORT']);
    expect(read).toThrow(
      [
        'PASSWORD_FILE: file /nowhere cannot be read',
        'PORT: is missing; set it, or PORT_FILE to the path of a file that holds it',
        'KEY_FILE: is missing; set it to the path of the file',
        'LEVEL: Invalid option: expected one of "info"|"warn"',
        'OTHER: does not fit PORT',
      ].join('\n'),
    );
  });

  it('when a value does not fit, then the line does not show it', () => {
    expect(() => readEnvironment(schema, { PORT: '1', PASSWORD: 'short', KEY_FILE: '/key' })).toThrow('PASSWORD: must have 8 characters');
  });
});
