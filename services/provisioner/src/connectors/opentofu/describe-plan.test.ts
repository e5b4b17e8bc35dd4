import { expect, test } from 'vitest';
import { describePlan } from './describe-plan.ts';

const configuration = { root_module: { outputs: { credential: { sensitive: true } } } };
const change = (address: string, actions: string[], reason?: string) => ({
  address,
  action_reason: reason,
  change: { actions, after: { password: 'geheim' } },
});

test('when a plan has changes of all kinds, then each is a step, without values, and what stays is none', () => {
  const { steps } = describePlan({
    resource_changes: [
      change('terraform_data.a["x"]', ['create']),
      change('terraform_data.b', ['update']),
      change('terraform_data.c', ['delete']),
      change('terraform_data.d', ['delete', 'create']),
      change('terraform_data.e', ['create', 'delete'], 'replace_because_tainted'),
      change('terraform_data.f', ['no-op']),
    ],
    configuration,
  });
  expect(steps).toEqual([
    'Create terraform_data.a["x"]',
    'Change terraform_data.b',
    'Destroy terraform_data.c',
    'Destroy and create again terraform_data.d',
    'Create terraform_data.e',
  ]);
});

test.each([[{}], [{ credential: {} }], [{ credential: { sensitive: false } }]])(
  'when the outputs of a module are %j, then it is refused',
  (outputs) => {
    expect(() => describePlan({ configuration: { root_module: { outputs } } })).toThrow(/output "credential"/);
  },
);

test.each([
  [null],
  ['nonsense'],
  [{}],
  [{ resource_changes: 7, configuration }],
  [{ resource_changes: [{ address: 'a' }], configuration }],
])('when a plan is %j, then that is not understood', (shown) => {
  expect(() => describePlan(shown)).toThrow(/no answer that is understood/);
});
