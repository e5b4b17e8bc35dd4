import { serve } from '@hono/node-server';
import { Hono } from 'hono';

// The limit next to reads: the framework alone, answering a fixed object of about the size of a request.
const answer = {
  id: '0190a0a0-0000-7000-8000-000000000000',
  status: 'PENDING',
  stages: [{ name: 'approval', required: 1 }],
  justification: 'x'.repeat(200),
};

const app = new Hono().get('/', (c) => c.json(answer));

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => process.send?.(port));
