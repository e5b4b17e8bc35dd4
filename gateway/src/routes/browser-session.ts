import type { Session } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { defineRoute, type Route, type RouteCall } from '../define-route.ts';
import { sessionExample, sessionSchema } from '../representations/session.ts';
import { loginBody, loginErrors, proofBody } from './session.ts';

const browserSessionSchema = sessionSchema.omit({ refreshToken: true }).openapi('BrowserSession');
const { refreshToken: _kept, ...example } = sessionExample;
const answer = {
  status: 200,
  description: 'The session; its refresh token is in the cookie.',
  schema: browserSessionSchema,
  example,
} as const;

/** Has the browser keep the refresh token, and tells the page the rest. */
const hand = async (
  { refreshToken, accessToken, expiresIn, refreshExpiresIn }: Session,
  { browser }: Pick<RouteCall<unknown>, 'browser'>,
) => {
  await browser.keep(refreshToken, refreshExpiresIn);
  return { accessToken, tokenType: 'Bearer', expiresIn, refreshExpiresIn };
};

/** Sessions of pages in a browser: what outlives the page is kept in a cookie that no script can read. */
export const browserSessionRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/session',
    operationId: 'startBrowserSession',
    tag: 'Session',
    summary: 'Sign in from a page',
    description:
      'As `login`, for pages: the refresh token goes into the cookie `__Host-accessops` (`HttpOnly`, `Secure`, `SameSite=Strict`), the access token to the ' +
      'page, which calls everything else with it.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'login' },
    idempotent: false,
    browser: true,
    body: loginBody,
    answer,
    errors: loginErrors,
    handle: async ({ services, body, options, attempt, browser }) =>
      hand(await attempt(body.email, () => services.identity.login(body, options)), { browser }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/session/refresh',
    operationId: 'refreshBrowserSession',
    tag: 'Session',
    summary: 'Get a new access token for a page',
    description:
      'Goes by the cookie alone. Pages of one browser take turns (Web Locks): two at once look like a stolen cookie, which ends the session.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'refresh' },
    idempotent: false,
    browser: true,
    answer,
    errors: ['INVALID_REFRESH_TOKEN', 'TENANT_SUSPENDED'],
    handle: async ({ services, options, browser }) => {
      const refreshToken = await browser.refreshToken();
      return hand(await services.identity.refresh({ refreshToken }, options), { browser });
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/session/step-up',
    operationId: 'stepUpBrowserSession',
    tag: 'Session',
    summary: 'Prove the second factor within the session of a page',
    description: 'As `stepUp`; the new refresh token takes the place of the one in the cookie.',
    audience: 'session',
    cerbos: { resource: 'session', action: 'step_up' },
    idempotent: false,
    browser: true,
    body: proofBody,
    answer,
    errors: ['MFA_NOT_ENROLLED', 'INVALID_MFA_CODE', 'TOO_MANY_ATTEMPTS'],
    handle: async ({ services, body, options, browser }) => hand(await services.identity.stepUp(body, options), { browser }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/auth/session',
    operationId: 'endBrowserSession',
    tag: 'Session',
    summary: 'Sign out from a page',
    description: 'Ends the session of the cookie, if there is one, and has the browser forget it.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'logout' },
    idempotent: false,
    browser: true,
    answer: { status: 204, description: 'The session has ended.' },
    handle: async ({ services, options, browser }) => {
      const refreshToken = await browser.refreshToken().catch(() => '');
      if (refreshToken) await services.identity.logout({ refreshToken }, options);
      browser.forget();
    },
  }),
];
