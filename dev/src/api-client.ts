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

  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(this.#token && { authorization: `Bearer ${this.#token}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.#signal,
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** The body of an answer with one of the given statuses; throws for any other. */
  async must(statuses: number[], method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
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
