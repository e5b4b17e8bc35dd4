import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>;

/** Headers that tell browsers what to do with an answer. */
export type SecurityHeaders = Readonly<Record<string, string>>;

// Browsers have given these up, or they say nothing about an API.
const unused: Options = {
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  crossOriginOpenerPolicy: false,
};

/**
 * The headers of every answer: nothing of it may be run, framed or guessed at. With `https` browsers keep to HTTPS for two years. Asked
 * of the library once, at the start: they are the same for all answers.
 */
export const securityHeaders = async ({ https }: { https: boolean }): Promise<SecurityHeaders> => {
  const app = new Hono();
  app.use(
    secureHeaders({
      ...unused,
      contentSecurityPolicy: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: https ? 'max-age=63072000; includeSubDomains' : false,
    }),
  );
  app.get('/', (c) => c.body(null));
  return Object.freeze(Object.fromEntries((await app.request('/')).headers));
};
