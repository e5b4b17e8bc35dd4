import { expect, test } from 'vitest';
import { explainFailure, redacting } from './explain-failure.ts';

const line = (diagnostic: object) => JSON.stringify({ '@level': 'error', diagnostic: { severity: 'error', ...diagnostic } });
const range = { filename: 'main.tf', start: { line: 7 } };
const redact = redacting(['s3cret', 's3cret-and-more', '']);

test('when a run fails, then people read the first error and where it is, without details and without secrets', () => {
  const output = [
    '{"@level":"info"}',
    'garbage',
    line({ summary: 'Bad thing with s3cret-and-more', detail: 's3cret', address: 'terraform_data.a', range }),
  ];
  expect(explainFailure('plan', output.join('\n'), redact).message).toBe(
    'The module has failed at terraform_data.a: Bad thing with [hidden]',
  );
});

test.each([
  ['init', { summary: 'Unsupported block type', range }, 'refused'],
  ['init', { summary: 'Failed to query available provider packages' }, 'failed'],
  ['plan', { summary: 'No value for required variable', range }, 'refused'],
  ['plan', { summary: 'Cloud is away', range }, 'failed'],
  ['plan', { summary: 'Error acquiring the state lock' }, 'failed'],
  ['apply', { summary: 'local-exec provisioner error', range }, 'unknown'],
  ['apply', { summary: 'Error acquiring the state lock' }, 'failed'],
  ['apply', { summary: 'Saved plan is stale' }, 'unknown'],
] as const)('when %s ends with %j, then it counts as %s', (phase, diagnostic, kind) => {
  expect(explainFailure(phase, line(diagnostic), redact)).toMatchObject({ kind });
});

test('when there is no error to read, then a run that may have changed something counts as unknown', () => {
  expect(explainFailure('apply', '', redact)).toMatchObject({ kind: 'unknown' });
  expect(explainFailure('plan', '', redact)).toMatchObject({ kind: 'failed' });
});
