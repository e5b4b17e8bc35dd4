/**
 * How long Keycloak may take for what it is asked: longer than a busy machine stands still. A login asks twice at most, and both fit into the
 * time that the gateway gives it.
 */
export const answerWithinMs = 12_000;
