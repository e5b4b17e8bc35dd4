import { must } from '../client.ts';

/** A route as the OpenAPI document tells of it. */
export interface DocumentedRoute {
  method: string;
  path: string;
  operationId: string;
  /** The names of what stands in braces. */
  params: string[];
  /** The example of a JSON body. */
  example: unknown;
  /** Schema of that body. */
  schema: Schema | undefined;
  /** Whether it answers pages. */
  isList: boolean;
  /** Fields to filter by, when it is a list. */
  filters: string[];
}

/** A JSON schema, as far as it is looked at. */
export interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  format?: string;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema?: Schema; example?: unknown }> };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** All routes that the running product tells of. */
export const documentedRoutes = async (): Promise<DocumentedRoute[]> => {
  const { paths, components } = (await must(200, 'GET', '//openapi.json')) as unknown as Document;
  const resolve = (schema: Schema | undefined): Schema | undefined => {
    const name = schema?.$ref?.split('/').at(-1);
    const { properties, items, ...rest } = (name ? components.schemas[name] : schema) ?? {};
    const inner = properties && Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, resolve(value) ?? {}]));
    return schema && { ...rest, ...(inner ? { properties: inner } : {}), ...(items ? { items: resolve(items) } : {}) };
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId, parameters = [], requestBody }]): DocumentedRoute => {
      const body = requestBody?.content['application/json'];
      return {
        method: method.toUpperCase(),
        path,
        operationId,
        params: parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
        example: body?.example,
        schema: resolve(body?.schema),
        isList: parameters.some(({ name }) => name === 'cursor'),
        filters: parameters.flatMap(({ name }) => /^filter\[(\w+)\]$/.exec(name)?.[1] ?? []),
      };
    }),
  );
};
