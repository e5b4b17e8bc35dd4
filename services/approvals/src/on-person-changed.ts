import { type EventContext, on, type Subscription } from '@accessops/events';
import {
  MembershipChangedSchema,
  TeamDeletedSchema,
  TeamMembershipChangedSchema,
  UserCreatedSchema,
  type UserSnapshot,
  UserUpdatedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { knowPerson } from './know-person.ts';
import { recountCasesOfVoter } from './recount-cases.ts';

const take = async ({ em, tenantId }: EventContext, user: UserSnapshot | undefined): Promise<void> => {
  if (user && (await knowPerson(em, tenantId, user))) await recountCasesOfVoter(em, tenantId, user.id);
};

/** Everything that changes who somebody is in the tenant. */
export const onPersonChanged: Subscription[] = [
  on(UserCreatedSchema, (ctx, { user }) => take(ctx, user)),
  on(UserUpdatedSchema, (ctx, { user }) => take(ctx, user)),
  on(MembershipChangedSchema, (ctx, { user }) => take(ctx, user)),
  on(TeamMembershipChangedSchema, (ctx, { user }) => take(ctx, user)),
  on(TeamDeletedSchema, async (ctx, { users }) => {
    for (const user of users) await take(ctx, user);
  }),
];
