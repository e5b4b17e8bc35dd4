import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withSecretFiles } from './secret-files.ts';

describe('withSecretFiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-secrets-'));
  const file = join(folder, 'password');
  writeFileSync(file, 'from the file\n');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('when a file is named, then the variable has what it holds, without the line end', () => {
    expect(withSecretFiles(['PASSWORD'], { PASSWORD_FILE: file }).PASSWORD).toBe('from the file');
  });

  it('when the variable itself is set, then it counts', () => {
    expect(withSecretFiles(['PASSWORD'], { PASSWORD: 'set', PASSWORD_FILE: file }).PASSWORD).toBe('set');
  });

  it('when files cannot be read, then every one of them is named', () => {
    const read = () => withSecretFiles(['A', 'B'], { A_FILE: '/nowhere/a', B_FILE: '/nowhere/b' });
    expect(read).toThrow('A_FILE: file /nowhere/a cannot be read\nB_FILE: file /nowhere/b cannot be read');
  });
});
