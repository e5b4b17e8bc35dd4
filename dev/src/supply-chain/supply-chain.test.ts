import { describe, expect, test } from 'vitest';
import { judge } from './audit.ts';
import { findSecrets } from './secrets.ts';

describe('secrets in files', () => {
  // Put together here, so that this file has none.
  const key = ['-----BEGIN', 'RSA PRIVATE KEY-----\n', 'MIIEpAIBAAKCAQEA'.repeat(20), '\n-----END', 'RSA PRIVATE KEY-----\n']
    .join(' ')
    .replaceAll('\n ', '\n');
  const address = ['postgres://', 'me:s3cret-of-mine', '@db.example.com:5432/prod'].join('');
  const find = (content: string, accepted: Parameters<typeof findSecrets>[2] = []) => findSecrets(['a.ts'], () => content, accepted);

  test.each([
    ['a private key', key],
    ['a login', address],
    ['a key of AWS', `AWS_SECRET_ACCESS_KEY = ${'wJalrXUtnFEMI/K7MDENG/bPxRfiCY'}${'ZXAMPLEKEY'}`],
  ])('when %s stands in a file, then it is found, and not told', async (_, content) => {
    const problems = await find(content);
    expect(problems).toEqual([expect.stringMatching(/^a\.ts:\d+: looks like a secret/)]);
    expect(problems.join()).not.toContain('s3cret');
  });

  test('when it is accepted, then all is well; when it is gone, then the entry has to go', async () => {
    const accepted = [{ file: 'a.ts', finding: 'PostgreSQLConnection', reason: 'made up for this test' }];
    expect(await find(address, accepted)).toEqual([]);
    expect(await find('nothing', accepted)).toEqual([expect.stringContaining('nothing in a.ts looks like PostgreSQLConnection any more')]);
  });
});

describe('advisories', () => {
  const advisory = {
    module_name: 'left',
    severity: 'high',
    title: 'It falls',
    github_advisory_id: 'GHSA-aaaa-bbbb-cccc',
    url: 'https://example.com',
    patched_versions: '>=2',
    findings: [{ version: '1.0.0' }],
  };
  const entry = { advisory: 'GHSA-aaaa-bbbb-cccc', package: 'left', reason: 'is never called', until: '2026-06-30' };
  const judged = (today: string, accepted = [entry], advisories: Record<string, typeof advisory> = { 1: advisory }) =>
    judge({ advisories }, accepted, today);

  test('when an advisory is accepted, then all is well until its day has passed', () => {
    expect(judged('2026-06-30')).toEqual([]);
    expect(judged('2026-07-01')).toEqual([expect.stringContaining('was accepted until 2026-06-30')]);
  });

  test('when it is not accepted, or for another package, then it is told', () => {
    expect(judged('2026-01-01', [])).toEqual(['left 1.0.0: high: It falls (https://example.com), mended in >=2']);
    expect(judged('2026-01-01', [{ ...entry, package: 'right' }])).toHaveLength(2);
  });

  test('when it is found no more, then the entry has to go', () => {
    expect(judged('2026-01-01', [entry], {})).toEqual([expect.stringContaining('is not found any more')]);
  });
});
