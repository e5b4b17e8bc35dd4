import { type ListDefinition, listPage } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import type { FilterQuery } from '@mikro-orm/postgresql';

/** A list of whatever the transaction may see. */
export const anyPage = <E extends object, P>(definition: ListDefinition<E>, toProto: (item: E) => P) => {
  return async ({ em }: Ctx, listQuery: ListQuery | undefined, where?: FilterQuery<E>) => {
    const { items, next } = await listPage(em, definition, listQuery, where);
    return { items: items.map(toProto), page: { next } };
  };
};

/** A list of the caller's tenant. The policy's rule alone, one tenant or all, would keep the database from using indexes that start with it. */
export const page = <E extends { tenantId: string }, P>(definition: ListDefinition<E>, toProto: (item: E) => P) => {
  const list = anyPage(definition, toProto);
  return (ctx: Ctx, listQuery: ListQuery | undefined, where: FilterQuery<E> = {}) =>
    list(ctx, listQuery, { $and: [{ tenantId: ctx.tenantId }, where] } as FilterQuery<E>);
};
