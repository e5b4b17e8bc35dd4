import { invalidField } from '@accessops/errors';
import { defineEntity, p } from '@mikro-orm/postgresql';

export const verdicts = ['APPROVE', 'REJECT'] as const;
export type Verdict = (typeof verdicts)[number];

/** What a person says about a request. */
export interface Opinion {
  verdict: Verdict;
  comment: string;
}

const maxCommentLength = 2000;

/** Checks what came in; throws INVALID_FIELDS. */
export const opinionOf = ({ verdict, comment }: { verdict: string; comment: string }): Opinion => {
  const known = verdicts.find((name) => name === verdict);
  if (!known) throw invalidField('/verdict', 'must be APPROVE or REJECT');
  if (comment.length > maxCommentLength) throw invalidField('/comment', `must not be longer than ${maxCommentLength} characters`);
  return { verdict: known, comment };
};

const VoteSchema = defineEntity({
  name: 'Vote',
  tableName: 'vote',
  properties: {
    tenantId: p.uuid().primary(),
    requestId: p.uuid().primary(),
    deciderId: p.uuid().primary(),
    deciderEmail: p.text(),
    verdict: p.enum(verdicts),
    comment: p.text(),
    /** Name of the stage it counts for; null: for none (any more). */
    stage: p.text().nullable(),
    decidedAt: p.datetime(),
  },
});

/** One person's vote on a request; it is never changed or taken back. */
export class Vote extends VoteSchema.class {}
VoteSchema.setClass(Vote);
