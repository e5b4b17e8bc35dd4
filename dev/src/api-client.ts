import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** An answer of the public API. */
export interface ApiAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** Calls the public API of a platform as any other client does. */
export class ApiClient {
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  readonly #token: string | undefined;

  constructor(url: string, signal?: AbortSignal, token?: string) {
    this.#url = url;
    this.#signal = signal;
    this.#token = token;
  }

  as(token: string): ApiClient {
    return new ApiClient(this.#url, this.#signal, token);
  }

  async call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(this.#token && { authorization: `Bearer ${this.#token}` }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.#signal,
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** A call that is made again, without acting twice, while a part of the platform is too busy to answer. */
  async #insist(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const headers = { 'idempotency-key': randomUUID() };
    for (let attempt = 1; ; attempt++) {
      const answer = await this.call(method, path, body, headers);
      if (answer.status !== 503 || attempt === 20) return answer;
      await delay(250, undefined, { signal: this.#signal });
    }
  }

  /** The body of an answer with one of the given statuses; throws for any other. */
  async must(statuses: number[], method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.#insist(method, path, body);
    if (statuses.includes(answer.status)) return answer.body;
    throw new Error(
      `${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body.errors ?? answer.body.detail ?? answer.body)}`,
    );
  }

  /** All items of a list, page by page. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let cursor = '';
    do {
      const page = await this.must([200], 'GET', `${path}?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      items.push(...(page.items as Record<string, unknown>[]));
      cursor = typeof page.nextCursor === 'string' ? page.nextCursor : '';
    } while (cursor);
    return items;
  }
}
