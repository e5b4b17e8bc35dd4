import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { readDocument } from '../dev/src/documents/document.ts';
import { rememberSecret } from './client.ts';

/** What a shell prints for a snippet of the README, sent to the platform under test. */
const run = async (snippet: string): Promise<string> => {
  const shell = spawn('bash', ['-eu'], { timeout: 240_000, stdio: ['pipe', 'pipe', 'inherit'] });
  shell.stdin.end(snippet.replaceAll('http://localhost:8080', inject('url')));
  return text(shell.stdout);
};

test('when somebody follows the README, then they hold a credential', async () => {
  const snippet = readDocument('README.md').snippets.find((found) => found.text.includes('curl'));
  const output = await run(snippet?.text ?? '');
  const answers = output.replaceAll('}{', '}\n{').split('\n');
  const [first, second, request, last] = answers.map((answer) => JSON.parse(answer) as Record<string, unknown>);
  const credential = (last?.credential ?? {}) as Record<string, string>;
  rememberSecret(String(credential.password));
  expect([first, second, request]).toMatchObject([
    { status: 'PENDING', approvals: 1 },
    { status: 'APPROVED', approvals: 2 },
    { status: 'ACTIVE' },
  ]);
  expect(credential.username).toMatch(/^accessops_/);
});
