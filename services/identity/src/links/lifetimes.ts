const hour = 3_600_000;

/** How long each kind of mailed link is good, in milliseconds. */
export const linkLifetimes = {
  VERIFY_EMAIL: 24 * hour,
  RESET_PASSWORD: hour,
  CHANGE_EMAIL: 24 * hour,
  INVITATION: 7 * 24 * hour,
} as const;
