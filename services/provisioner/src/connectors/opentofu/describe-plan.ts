import { z } from 'zod';
import { ConnectorError } from '../../connector.ts';
import { senselessAnswer } from './explain-failure.ts';

const value = z.unknown().optional();
const change = z.object({ actions: z.array(z.string()), before: value, after: value, after_unknown: value });
const output = z.object({ sensitive: z.boolean().default(false) });

/** What `show -json` says of a plan, as far as it matters here: https://opentofu.org/docs/internals/json-format/ */
const shownPlan = z.object({
  resource_changes: z.array(z.object({ address: z.string(), action_reason: z.string().optional(), change })).default([]),
  configuration: z.object({ root_module: z.object({ outputs: z.record(z.string(), output).default({}) }) }),
});

type ResourceChange = z.infer<typeof shownPlan>['resource_changes'][number];

const verbs: Record<string, string> = {
  create: 'Create',
  update: 'Change',
  delete: 'Destroy',
  read: 'Read',
  forget: 'Leave alone from now on',
};

const stepOf = ({ address, action_reason: reason, change: { actions } }: ResourceChange): string[] => {
  const [first, second] = actions;
  if (!first || first === 'no-op') return [];
  // What was only half made is made anew: to whoever approved it, that is its creation.
  if (second) return [`${reason === 'replace_because_tainted' ? 'Create' : 'Destroy and create again'} ${address}`];
  return [`${verbs[first] ?? first} ${address}`];
};

export interface DescribedPlan {
  /** In words: what happens to which resource, and no value of any. */
  steps: string[];
  /** The same with all values, to tell plans apart. */
  changes: unknown[];
}

/** What a plan would do. Throws a ConnectorError unless the module hands over its credential as a secret. */
export const describePlan = (shown: unknown): DescribedPlan => {
  const plan = shownPlan.safeParse(shown);
  if (!plan.success) throw senselessAnswer('failed');
  const { resource_changes: changes, configuration } = plan.data;
  const { credential } = configuration.root_module.outputs;
  if (!credential) throw new ConnectorError('refused', 'The module has no output "credential"');
  if (!credential.sensitive) throw new ConnectorError('refused', 'The output "credential" of the module is not marked as sensitive');
  return { steps: changes.flatMap(stepOf), changes };
};
