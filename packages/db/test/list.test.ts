import { ListQuerySchema, Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { create } from '@bufbuild/protobuf';
import type { EntityManager, InferEntity } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ListDefinition, listPage, newId, transaction } from '../src/index.ts';
import { Grouping, Item, type ItemInit, type Suite, startSuite } from './suite.ts';

type Listed = InferEntity<typeof Item>;

const items: ListDefinition<Listed> = {
  entity: Item,
  fields: {
    id: { type: 'uuid' },
    name: { type: 'text' },
    size: { type: 'integer' },
    active: { type: 'boolean' },
    tag: { type: 'text-list', path: 'tags' },
    createdAt: { type: 'time' },
    endedAt: { type: 'time' },
    group: { type: 'text', path: 'group.label' },
  },
  defaultSort: '-createdAt',
};

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

interface Query {
  limit?: number;
  after?: string;
  sort?: { field: string; descending: boolean }[];
  filters?: { field: string; operator: Operator; values: string[] }[];
}
const page = (tenantId: string, query: Query = {}, definition = items) =>
  transaction(suite.orm.em, { tenantId }, (em) => listPage(em, definition, create(ListQuerySchema, query)));
const names = async (tenantId: string, query: Query = {}) => (await page(tenantId, query)).items.map(({ name }) => name);
const sortBy = (...keys: string[]) => ({ sort: keys.map((key) => ({ field: key.replace('-', ''), descending: key.startsWith('-') })) });
const filterBy = (field: string, operator: keyof typeof Operator, ...values: string[]) => ({
  filters: [{ field, operator: Operator[operator], values }],
});
/** All pages, as the caller who follows `next` sees them. */
const follow = async (tenantId: string, query: Query, between: () => Promise<unknown> = async () => undefined) => {
  const seen: string[] = [];
  let after = '';
  do {
    const { items: found, next } = await page(tenantId, { ...query, after });
    seen.push(...found.map(({ name }) => name));
    after = next;
    if (after) await between();
  } while (after);
  return seen;
};
const tenantWith = async (...init: ItemInit[]) => {
  const tenantId = newId();
  await suite.insert(tenantId, ...init);
  return tenantId;
};
const day = (of: number) => new Date(Date.UTC(2026, 0, of));

describe('filters', () => {
  let tenantId: string;
  beforeAll(async () => {
    tenantId = newId();
    const group = newId();
    await transaction(suite.orm.em, { tenantId }, async (em) => void em.create(Grouping, { id: group, tenantId, label: 'G%1' }));
    await suite.insert(
      tenantId,
      { name: 'Alpha', size: 1, active: true, tags: ['x', 'y'], createdAt: day(1), group },
      { name: 'beta_1', size: 2, active: false, tags: ['y'], createdAt: day(2), endedAt: day(9) },
      { name: 'betaX1', size: -3, active: false, tags: [], createdAt: day(3) },
      { name: `O'Hara \\ 100%`, size: 4, active: true, tags: [`it's`], createdAt: day(4) },
    );
  });

  test.each<[string, keyof typeof Operator, string[], string[]]>([
    ['name', 'EQ', ['Alpha'], ['Alpha']],
    ['name', 'EQ', ['alpha'], []],
    ['name', 'NE', ['Alpha'], ['beta_1', 'betaX1', `O'Hara \\ 100%`]],
    ['name', 'IN', ['Alpha', 'betaX1', 'nobody'], ['Alpha', 'betaX1']],
    ['name', 'GT', ['beta_0'], ['beta_1']],
    ['name', 'LIKE', ['BETA%'], ['beta_1', 'betaX1']],
    ['name', 'LIKE', ['beta_1'], ['beta_1']],
    ['name', 'LIKE', ['%\\%'], [`O'Hara \\ 100%`]],
    ['name', 'EQ', [`O'Hara \\ 100%`], [`O'Hara \\ 100%`]],
    ['name', 'EQ', [`' or 1=1 --`], []],
    ['size', 'GTE', ['2'], ['beta_1', `O'Hara \\ 100%`]],
    ['size', 'LT', ['0'], ['betaX1']],
    ['size', 'IN', ['1', '-3'], ['Alpha', 'betaX1']],
    ['active', 'EQ', ['false'], ['beta_1', 'betaX1']],
    ['tag', 'EQ', ['y'], ['Alpha', 'beta_1']],
    ['tag', 'IN', ['x', `it's`], ['Alpha', `O'Hara \\ 100%`]],
    ['createdAt', 'LTE', ['2026-01-02T01:00:00+01:00'], ['Alpha', 'beta_1']],
    ['createdAt', 'EQ', ['2026-01-03'], ['betaX1']],
    ['endedAt', 'GT', ['2026-01-01T00:00:00Z'], ['beta_1']],
    ['group', 'EQ', ['G%1'], ['Alpha']],
  ])('when %s %s %j, then what fits is listed', async (field, operator, values, expected) => {
    expect((await names(tenantId, filterBy(field, operator, ...values))).toSorted()).toEqual(expected.toSorted());
  });

  test('when there are several, then all of them hold', async () => {
    const filters = [filterBy('active', 'EQ', 'false'), filterBy('size', 'GT', '0')].flatMap((each) => each.filters);
    expect(await names(tenantId, { filters })).toEqual(['beta_1']);
  });

  test.each<[string, keyof typeof Operator, string[]]>([
    ['unknown', 'EQ', ['x']],
    ['tenantId', 'EQ', ['x']],
    ['__proto__', 'EQ', ['x']],
    ['constructor', 'EQ', ['x']],
    ['name', 'EQ', []],
    ['name', 'UNSPECIFIED', ['x']],
    ['name', 'EQ', ['a\0b']],
    ['id', 'EQ', ['not-a-uuid']],
    ['id', 'LIKE', ['%']],
    ['size', 'EQ', ['1.5']],
    ['size', 'EQ', ['1; drop table item']],
    ['size', 'EQ', ['99999999999999999999']],
    ['size', 'IN', ['1', 'x']],
    ['size', 'LIKE', ['1%']],
    ['active', 'EQ', ['1']],
    ['createdAt', 'GT', ['soon']],
    ['createdAt', 'GT', ['2026-13-45']],
    ['createdAt', 'GT', ['0001-01-01T00:00:00+23:59']],
    ['createdAt', 'GT', ['9999-12-31T23:59:59-00:01']],
    ['createdAt', 'LIKE', ['2026%']],
    ['tag', 'NE', ['x']],
    ['tag', 'LIKE', ['x%']],
  ])('when the filter is %s %s %j, then it is refused', async (field, operator, values) => {
    await expect(page(tenantId, filterBy(field, operator, ...values))).rejects.toMatchObject({ code: 'INVALID_FILTER', httpStatus: 400 });
  });

  test.each(['3000000000', '-3000000000', '999999999999999'])(
    'when a number is %s, larger than its column can hold, then nothing equals it',
    async (value) => {
      expect(await names(tenantId, filterBy('size', 'EQ', value))).toEqual([]);
      expect(await names(tenantId, filterBy('size', 'IN', value, '1'))).toEqual(['Alpha']);
      expect(await names(tenantId, filterBy('size', 'NE', value))).toHaveLength(4);
    },
  );
});

describe('sorting', () => {
  test('when there is none, then the default holds', async () => {
    const tenantId = await tenantWith({ name: 'a', createdAt: day(1) }, { name: 'b', createdAt: day(3) }, { name: 'c', createdAt: day(2) });
    expect(await names(tenantId)).toEqual(['b', 'c', 'a']);
  });

  test('when it is by several fields in different directions, then pages of any size hold the same order', async () => {
    const init = Array.from({ length: 24 }, (_, index) => ({
      name: `n${String(index).padStart(2, '0')}`,
      size: index % 3,
      active: index % 2 === 0,
      createdAt: day(1 + (index % 4)),
    }));
    const tenantId = await tenantWith(...init);
    const expected = init.toSorted(
      (a, b) =>
        b.size - a.size ||
        Number(a.active) - Number(b.active) ||
        b.createdAt.getTime() - a.createdAt.getTime() ||
        a.name.localeCompare(b.name),
    );
    for (const limit of [1, 5, 23, 24, 50]) {
      const seen = await follow(tenantId, { limit, ...sortBy('-size', 'active', '-createdAt', 'name') });
      expect(seen).toEqual(expected.map(({ name }) => name));
    }
    const reversed = await follow(tenantId, { limit: 5, ...sortBy('size', '-active', 'createdAt', '-name') });
    expect(reversed).toEqual(expected.map(({ name }) => name).toReversed());
  });

  test('when all values are equal, then the key breaks the tie and no row is lost or comes twice', async () => {
    const init = Array.from({ length: 17 }, (_, index) => ({ name: `n${index}` }));
    const tenantId = await tenantWith(...init);
    for (const sort of ['size', '-size']) {
      const seen = await follow(tenantId, { limit: 4, ...sortBy(sort) });
      expect(seen.toSorted()).toEqual(init.map(({ name }) => name).toSorted());
    }
  });

  test('when a field is to be unequal to something, then rows that have nothing there are unequal to it', async () => {
    const tenantId = await tenantWith({ name: 'a', endedAt: day(1) }, { name: 'b', endedAt: day(2) }, { name: 'c', endedAt: null });
    expect((await names(tenantId, filterBy('endedAt', 'NE', day(1).toISOString()))).toSorted()).toEqual(['b', 'c']);
  });

  test.each(['endedAt', '-endedAt'])('when it is by %s, which some rows have not, then pages go on across them', async (sort) => {
    const init = Array.from({ length: 12 }, (_, index) => ({ name: `n${index}`, endedAt: index % 3 === 0 ? null : day(1 + (index % 5)) }));
    const tenantId = await tenantWith(...init);
    const whole = await names(tenantId, { limit: 200, ...sortBy(sort, 'name') });
    expect(whole).toHaveLength(12);
    for (const limit of [1, 2, 5]) expect(await follow(tenantId, { limit, ...sortBy(sort, 'name') })).toEqual(whole);
    for (const limit of [1, 5]) expect((await follow(tenantId, { limit, ...sortBy(sort) })).toSorted()).toEqual(whole.toSorted());
  });

  test.each(['group', '-group'])(
    'when it is by %s, a field of something else that may be missing, then pages go on across it',
    async (sort) => {
      const tenantId = newId();
      const groups = ['x', 'y', null].map((label) => ({ id: newId(), label }));
      await transaction(suite.orm.em, { tenantId }, async (em) => {
        for (const group of groups) em.create(Grouping, { ...group, tenantId });
      });
      const of = [...groups.map(({ id }) => id), null];
      await suite.insert(tenantId, ...Array.from({ length: 12 }, (_, index) => ({ name: `n${index}`, group: of[index % 4] ?? null })));
      const whole = await names(tenantId, { limit: 200, ...sortBy(sort, '-name') });
      expect(whole).toHaveLength(12);
      expect(await follow(tenantId, { limit: 5, ...sortBy(sort, '-name') })).toEqual(whole);
    },
  );

  test.each(['unknown', 'tag', 'tenantId', '__proto__', 'name; drop table item', ''])(
    'when it is by %j, then it is refused',
    async (key) => {
      await expect(page(newId(), sortBy(key))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    },
  );
});

/** How many rows of the table this connection has looked at. */
const rowsRead = async (em: EntityManager) => {
  const counters = `select (seq_tup_read + idx_tup_fetch)::int as count from pg_stat_xact_user_tables where relname = 'item'`;
  const [row] = await em.execute<{ count: number }[]>(counters);
  return row?.count ?? 0;
};

describe('pages', () => {
  test('when rows come in while pages are followed, then each of the old ones is seen once, in order', async () => {
    const init = Array.from({ length: 30 }, (_, index) => ({
      name: `old-${String(index).padStart(2, '0')}`,
      createdAt: day(1 + (index % 7)),
    }));
    const tenantId = await tenantWith(...init);
    const before = await names(tenantId, { limit: 200, ...sortBy('-createdAt', 'name') });
    let added = 0;
    const addSome = () =>
      suite.insert(tenantId, { name: `new-${added++}`, createdAt: day(20) }, { name: `new-${added++}`, createdAt: day(1 + (added % 7)) });
    const seen = await follow(tenantId, { limit: 7, ...sortBy('-createdAt', 'name') }, addSome);
    expect(seen.filter((name) => name.startsWith('old'))).toEqual(before);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('when the row a page ended with is gone, then the next page goes on behind its place', async () => {
    const tenantId = await tenantWith(...['a', 'b', 'c', 'd'].map((name) => ({ name })));
    const { items: found, next } = await page(tenantId, { limit: 2, ...sortBy('name') });
    await suite.admin.query('delete from item where tenant_id = $1 and name = $2', [tenantId, found.at(-1)?.name]);
    expect(await names(tenantId, { limit: 2, after: next, ...sortBy('name') })).toEqual(['c', 'd']);
  });

  test('when a limit is missing, too large or makes no sense, then it is 50, 200 or 1', async () => {
    const tenantId = await tenantWith(...Array.from({ length: 210 }, (_, index) => ({ name: `n${index}` })));
    const length = async (limit?: number) => (await page(tenantId, { limit })).items.length;
    expect([await length(), await length(0), await length(7), await length(1000), await length(-5)]).toEqual([50, 50, 7, 200, 1]);
    expect((await page(tenantId, { limit: 1000 }, { ...items, maxLimit: 205 })).items).toHaveLength(205);
  });

  test('when the last page is exactly full, then there is no next one', async () => {
    const tenantId = await tenantWith({ name: 'a' }, { name: 'b' });
    expect((await page(tenantId, { limit: 2 })).next).toBe('');
    expect((await page(tenantId, { limit: 1 })).next).not.toBe('');
    expect(await page(newId())).toEqual({ items: [], next: '' });
  });

  test('when a page deep in a long list is read, then the index is entered there and not at the beginning', async () => {
    const tenantId = newId();
    await suite.admin.query(
      `insert into item select gen_random_uuid(), $1, 'n' || n, n, true, '{}', timestamptz '2026-01-01Z' + n * interval '1 second' from generate_series(1, 20000) n`,
      [tenantId],
    );
    await suite.admin.query('analyze item');
    const after = JSON.stringify({ by: 'createdAt,id', at: ['2026-01-01T05:00:00.000Z', newId()] });
    for (const sort of ['createdAt', '-createdAt']) {
      const by = sort === 'createdAt' ? 'createdAt,id' : '-createdAt,-id';
      const query = create(ListQuerySchema, { limit: 10, after: after.replace('createdAt,id', by), ...sortBy(sort) });
      const read = await transaction(suite.orm.em, { tenantId }, async (em) => {
        const before = await rowsRead(em);
        const { items: found } = await listPage(em, items, query, { tenantId });
        expect(found).toHaveLength(10);
        return (await rowsRead(em)) - before;
      });
      expect(read).toBeLessThan(20);
    }
  });
});

describe('cursors', () => {
  test.each(
    [
      'nonsense',
      '',
      'null',
      '[]',
      '{}',
      '"x"',
      '{"by":"name,id"}',
      '{"by":"name,id","at":"x"}',
      '{"by":"name,id","at":["a"]}',
      '{"by":"name,id","at":["a","b","c"]}',
      '{"by":"-name,-id","at":["a","01890000-0000-7000-8000-000000000001"]}',
      '{"by":"size,id","at":[1,"01890000-0000-7000-8000-000000000001"]}',
    ].filter(Boolean),
  )('when the cursor is %s, then it is refused', async (after) => {
    await expect(page(newId(), { after, ...sortBy('name') })).rejects.toMatchObject({ code: 'INVALID_CURSOR', httpStatus: 400 });
  });

  test.each([
    '{"by":"name,id","at":["a","x"]}',
    '{"by":"name,id","at":["a\\u0000","01890000-0000-7000-8000-000000000001"]}',
    '{"by":"name,id","at":[{"$ne":1},[]]}',
  ])('when the cursor %s holds values that do not fit, then it is refused', async (after) => {
    await expect(page(newId(), { after, ...sortBy('name') })).rejects.toMatchObject({
      code: expect.stringMatching(/^INVALID_(CURSOR|FILTER)$/),
    });
  });

  test('when a cursor of one sort is used with another, then it is refused', async () => {
    const tenantId = await tenantWith({ name: 'a' }, { name: 'b' });
    const { next } = await page(tenantId, { limit: 1, ...sortBy('name') });
    await expect(page(tenantId, { after: next, ...sortBy('-name') })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    await expect(page(tenantId, { after: next })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
  });

  test('when a cursor of one tenant is used in another, then no foreign row is seen', async () => {
    const one = await tenantWith({ name: 'a' }, { name: 'b' });
    const other = await tenantWith({ name: 'c' }, { name: 'd' });
    const { next } = await page(one, { limit: 1, ...sortBy('name') });
    expect(await names(other, { after: next, ...sortBy('name') })).toEqual(['c', 'd']);
  });
});
