import { expect, test } from 'vitest';
import { explainFailure, hasExplained, isApplied, redacting } from './explain-failure.ts';

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

test.each([
  '',
  'garbage with s3cret',
  '7\nnull\n"x"\n[]',
  '{"diagnostic":{"severity":"warning"}}',
  '{"diagnostics":{}}',
  '{"diagnostic":"s3cret"}',
])('when a run ends with %j, then a person is told what to look at, and it may have changed something if it could', (output) => {
  const message = expect.stringMatching(/^The program that runs modules gives no answer that is understood/);
  expect(explainFailure('apply', output, redact)).toMatchObject({ kind: 'unknown', message });
  expect(explainFailure('plan', output, redact)).toMatchObject({ kind: 'failed', message });
  expect([isApplied(output), hasExplained(output)]).toEqual([false, false]);
});

test('when all errors are told in one object, then people read the first', () => {
  const output = JSON.stringify(
    { diagnostics: [{ severity: 'warning' }, { severity: 'error', summary: 'Unsupported argument', range }] },
    null,
    2,
  );
  expect(explainFailure('init', output, redact)).toMatchObject({
    kind: 'refused',
    message: 'The module has failed at main.tf:7: Unsupported argument',
  });
});

test('when a run tells how much it has changed, then it has applied its plan, and a plan alone has not', () => {
  const summary = (operation: string) => `{"type":"version"}\n${JSON.stringify({ type: 'change_summary', changes: { operation } })}\n`;
  expect([isApplied(summary('apply')), isApplied(summary('plan'))]).toEqual([true, false]);
  expect([hasExplained(summary('apply')), hasExplained(line({ summary: 'Bad thing' }))]).toEqual([false, true]);
});
