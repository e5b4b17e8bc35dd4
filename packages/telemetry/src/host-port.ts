import { z } from 'zod';

const hostPort = /^(?:tls:\/\/)?[^\s/]+:(\d{1,5})$/;

/** An environment variable that holds host:port, with `tls://` before it where something is called by TLS; port 0 takes a free one. */
export const hostAndPort = z.string().refine((text) => Number(hostPort.exec(text)?.[1] ?? Number.NaN) <= 65_535, 'must be host:port');
