import type { Audience } from '../session.ts';

const clients: Record<Audience, string> = {
  app: 'accessops-app',
  'org-admin': 'accessops-org-admin',
  admin: 'accessops-admin',
};

/** The realm's clients that people sign in with. */
export const loginClients = Object.values(clients);

/** The realm's client for an audience. */
export const clientOf = (audience: Audience): string => clients[audience];
