import type { Route } from '../define-route.ts';
import { settingRoutes } from '../setting-routes.ts';

/** What the tenant sets for itself. */
export const orgSettingRoutes: Route[] = settingRoutes({
  prefix: '/api/v1/org',
  infix: '',
  tag: 'Configuration',
  audience: 'org-admin',
  global: false,
  read: 'read',
  update: 'update',
});
