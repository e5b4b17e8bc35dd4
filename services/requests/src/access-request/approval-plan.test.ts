import { describe, expect, test } from 'vitest';
import { approvalPlan, requiredApprovals } from './approval-plan.ts';

const stage = { name: 'approval', required: 2, roles: ['approver'], teamId: '' };

describe('the plan of a request', () => {
  test('when policy gives one, then it is taken as it is', () => {
    const plan = { stages: [stage, { ...stage, name: 'team', required: 1, roles: [], teamId: 't' }], maxDurationSeconds: 60 };
    expect(approvalPlan([plan])).toEqual(plan);
    expect(requiredApprovals(plan.stages)).toBe(3);
  });

  test('when policy asks for nobody, then nobody is asked', () => {
    expect(requiredApprovals(approvalPlan([{ stages: [], maxDurationSeconds: 60 }]).stages)).toBe(0);
  });

  test.each([
    ['none', []],
    [
      'two',
      [
        { stages: [], maxDurationSeconds: 1 },
        { stages: [], maxDurationSeconds: 1 },
      ],
    ],
    ['null', [null]],
    ['no stages', [{ maxDurationSeconds: 60 }]],
    ['no maximum', [{ stages: [] }]],
    ['a stage that nobody could pass', [{ stages: [{ ...stage, roles: [] }], maxDurationSeconds: 60 }]],
    ['a stage that needs nobody', [{ stages: [{ ...stage, required: 0 }], maxDurationSeconds: 60 }]],
    ['a stage without a name', [{ stages: [{ ...stage, name: '' }], maxDurationSeconds: 60 }]],
  ])('when policy gives %s, then nothing is filed', (_, outputs) => {
    expect(() => approvalPlan(outputs)).toThrow(expect.objectContaining({ code: 'DEPENDENCY_UNAVAILABLE' }));
  });
});
