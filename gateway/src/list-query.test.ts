import { AppError } from '@accessops/errors';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { describe, expect, test } from 'vitest';
import { type ListDeclaration, parseListQuery } from './list-query.ts';

const list: ListDeclaration = {
  fields: {
    id: 'uuid',
    name: 'text',
    createdAt: 'time',
    sequence: 'integer',
    active: 'boolean',
    consumer: 'choice',
    orgRoles: 'text-list',
  },
  defaultSort: '-createdAt',
};

const read = (search: string) => parseListQuery(search, list);

const codeOf = (search: string) => {
  try {
    read(search);
    return 'none';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

const uuid = '0192f0c1-5a3e-7b4d-8c6f-2a9d1e4b7c30';

describe('the query of a list', () => {
  test('when nothing is asked, then a page has 50 items in the default order', () => {
    expect(read('')).toEqual({ limit: 50, cursor: '', sort: [{ field: 'createdAt', descending: true }], filters: [], others: [] });
  });

  test('when everything is asked, then everything is read', () => {
    const search = `limit=10&cursor=abc&sort=-createdAt,name&filter[id][eq]=${uuid}&filter%5Bname%5D%5Blike%5D=%25a%25&filter[name][in]=x,y`;
    expect(read(search)).toEqual({
      limit: 10,
      cursor: 'abc',
      sort: [
        { field: 'createdAt', descending: true },
        { field: 'name', descending: false },
      ],
      filters: [
        { field: 'id', operator: Operator.EQ, values: [uuid] },
        { field: 'name', operator: Operator.LIKE, values: ['%a%'] },
        { field: 'name', operator: Operator.IN, values: ['x', 'y'] },
      ],
      others: [],
    });
  });

  test('when a limit is above 200, then it means 200', () => {
    expect(read('limit=201').limit).toBe(200);
    expect(read('limit=999999999').limit).toBe(200);
  });

  test.each([
    'limit=0',
    'limit=-1',
    'limit=1.5',
    'limit=many',
    'limit=',
    'limit=1e2',
    'limit=%200',
    'limit=1&limit=2',
    'cursor=a&cursor=b',
    'sort=name&sort=id',
  ])('when it is %s, then the parameter is refused', (search) => {
    expect(codeOf(search)).toBe('INVALID_PARAMETER');
  });

  test.each([
    'filter[nope][eq]=1',
    'filter[__proto__][eq]=1',
    'filter[constructor][eq]=1',
    'filter[toString][eq]=1',
    'filter[name][regex]=.*',
    'filter[name][__proto__]=x',
    'filter[name]=x',
    'filter=x',
    'filter[name][eq][x]=y',
    'filter[][eq]=x',
    'filter[name;drop table x][eq]=1',
    'filter[id][eq]=7',
    `filter[id][like]=${uuid}`,
    `filter[id][in]=${uuid},7`,
    'filter[createdAt][gte]=yesterday',
    'filter[createdAt][gte]=2026-13-01T00:00:00Z',
    'filter[createdAt][gte]=2026-02-30',
    'filter[createdAt][gte]=2026-04-31T00:00:00Z',
    'filter[createdAt][gte]=0000-01-01T00:00:00Z',
    'filter[createdAt][gte]=0001-01-01T00:00:00%2B23:59',
    'filter[createdAt][gte]=9999-12-31T23:59:59-00:01',
    'filter[createdAt][gte]=+275760-01-01T00:00:00Z',
    'filter[createdAt][like]=2026',
    'filter[sequence][gt]=many',
    'filter[sequence][gt]=1e9',
    'filter[sequence][gt]=99999999999999999',
    'filter[active][eq]=1',
    'filter[active][gt]=true',
    'filter[orgRoles][ne]=admin',
    'filter[orgRoles][like]=a%25',
    'filter[consumer][like]=a%25',
    'filter[name][eq]=a%00b',
    `filter[name][eq]=${'x'.repeat(1001)}`,
    `filter[name][in]=${'x,'.repeat(100)}`,
    `${'filter[name][ne]=x&'.repeat(21)}`,
    'sort=nope',
    'sort=',
    'sort=-',
    'sort=--name',
    'sort=name,name',
    'sort=name,-name',
    'sort=orgRoles',
    'sort=name;drop',
    'sort=name,',
  ])('when it is %s, then it is refused as a filter', (search) => {
    expect(codeOf(search)).toBe('INVALID_FILTER');
  });

  test('when a value looks like SQL, then it is a value', () => {
    expect(read("filter[name][eq]=x' or 1=1 --").filters[0]?.values).toEqual(["x' or 1=1 --"]);
  });

  test.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21T09:30:00Z', '2026-11-21T09:30:00.000Z'],
    ['2026-11-21T09:30:00.123456Z', '2026-11-21T09:30:00.123Z'],
    ['2026-11-21T10:30:00%2B01:00', '2026-11-21T09:30:00.000Z'],
    ['0000-12-31T23:59:59-00:01', '0001-01-01T00:00:59.000Z'],
    ['9999-12-31', '9999-12-31T00:00:00.000Z'],
  ])('when a time is %s, then it means %s', (value, wanted) => {
    expect(read(`filter[createdAt][gte]=${value}`).filters[0]?.values).toEqual([wanted]);
  });

  test('when a parameter is none of a list, then it is left for the route to judge', () => {
    expect(read('format=csv').others).toEqual([['format', 'csv']]);
  });

  test('when a list comes as a whole, then it takes filters and no paging', () => {
    const whole = { ...list, paged: false };
    expect(parseListQuery('limit=5&filter[name][eq]=x', whole)).toMatchObject({ others: [['limit', '5']], filters: [{ field: 'name' }] });
  });

  test('when only some fields can be sorted by, then the others are refused', () => {
    expect(() => parseListQuery('sort=name', { ...list, sortable: ['createdAt'] })).toThrow(/createdAt/);
  });
});
