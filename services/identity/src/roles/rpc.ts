import type { Authorizer } from '@accessops/authz';
import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, command, query } from '@accessops/service';
import * as lists from '../lists.ts';
import { may } from '../may.ts';
import { page } from '../page.ts';
import { roleToProto } from '../to-proto.ts';
import { createRole } from './create-role.ts';
import { deleteRole } from './delete-role.ts';
import { findRole } from './find-role.ts';
import { updateRole } from './update-role.ts';

const rolePage = page(lists.roles, roleToProto);

/** The RPCs about roles. */
export const roleHandlers = (authorizer: Authorizer) =>
  ({
    listRoles: query(async (ctx, { query: listQuery }) => {
      await may(ctx, 'role', 'list');
      return rolePage(ctx, listQuery);
    }),
    getRole: query(async (ctx, { id }) => {
      await may(ctx, 'role', 'read');
      return roleToProto(await findRole(ctx.em, id));
    }),
    createRole: command(async (ctx, request) => {
      await may(ctx, 'role', 'create');
      return roleToProto(await createRole(ctx, authorizer, request));
    }),
    updateRole: command(async (ctx, request) => {
      await may(ctx, 'role', 'update');
      return roleToProto(await updateRole(ctx, authorizer, request));
    }),
    deleteRole: command(async (ctx, { id }) => {
      await may(ctx, 'role', 'delete');
      await deleteRole(ctx, id);
      return {};
    }),
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
