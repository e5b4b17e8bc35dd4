/** Of access tokens. */
export const accessTokenSeconds = 15 * 60;

/** How long a second factor counts within a session (NIST SP 800-63B-4, 2.2.3: a day). */
export const secondFactorMs = 24 * 3_600_000;

/** After which a signing key is replaced. */
export const signingKeyMs = 30 * 24 * 3_600_000;

/** How long an instance may go on with the signing key it knows before it looks for a newer one. */
export const keyReloadMs = 30_000;

/** How long a retired key stays in the JWKS: until its last token has expired, twice over for clocks that disagree. */
export const retiredKeyMs = 2 * (accessTokenSeconds * 1000 + keyReloadMs);
