import type { Route } from '../define-route.ts';
import { settingRoutes } from '../setting-routes.ts';

/** What platform staff set for everybody. */
export const adminSettingRoutes: Route[] = settingRoutes({
  prefix: '/api/v1/admin',
  infix: 'Global',
  tag: 'Platform',
  audience: 'admin',
  global: true,
  read: 'read_global',
  update: 'update_global',
});
