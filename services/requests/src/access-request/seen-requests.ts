import { LRUCache } from 'lru-cache';
import type { RequestView } from './access-request.ts';

/** Requests as they were when somebody last read or filed them here. What they ask for never changes; their state may have. */
export type SeenRequests = LRUCache<string, RequestView>;

/** Remembers the requests seen last: whoever decides on one has mostly just looked at it. */
export const createSeenRequests = (): SeenRequests => new LRUCache({ max: 2000 });

/** Under what a request is remembered. */
export const seenKey = (tenantId: string, id: string): string => `${tenantId} ${id.toLowerCase()}`;
