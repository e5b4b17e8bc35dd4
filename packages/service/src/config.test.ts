import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonFile } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'accessops-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const problemsOf = (content: string | undefined): string[] => {
  const path = join(folder, 'file');
  if (content === undefined) rmSync(path, { force: true });
  else writeFileSync(path, content);
  const shape = jsonFile(z.array(z.object({ email: z.email(), password: z.string().min(12) })));
  return (shape.safeParse(path).error?.issues ?? []).map(({ message }) => message.replace(path, 'file'));
};

describe('a file of JSON', () => {
  test.each([
    ['is not there', undefined, ['file file cannot be read']],
    ['holds a bare key', 'aGVsbG8gd29ybGQ=', ['file file is not JSON']],
    ['has a wrong shape', '[{"email":"x@y.test","password":"s3cr3t"}]', [expect.stringMatching(/^file file at \/0\/password: [^\n]*$/)]],
    [
      'has several faults',
      '[{"email":"x"},7]',
      [expect.stringContaining('/0/email'), expect.stringContaining('/0/password'), expect.stringContaining('/1:')],
    ],
  ])('when it %s, then each fault is a line of its own, without what it holds', (_, content, problems) => {
    const told = problemsOf(content);
    expect(told).toEqual(problems);
    expect(told.join()).not.toMatch(/aGVs|s3cr3t/);
  });
});
