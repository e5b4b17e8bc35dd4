/** Scalars, lists and maps that a policy can look at. */
export type Attribute = string | number | boolean | null | Attribute[] | { [name: string]: Attribute };

/** What is asked about: never its identifier, so that a decision can be remembered for everything alike. */
export interface Question {
  kind: string;
  action: string;
  /** `route`: may this principal ever; `default`: may it on this very thing. */
  version: 'route' | 'default';
  attributes?: Record<string, Attribute>;
}

export interface Decision {
  allowed: boolean;
  /** When denied: the authentication context (`aal2`) in which it would be allowed, if there is one. */
  demand?: string;
  /** The request id under which Cerbos decided; for the log. */
  decisionId: string;
  /** The hash of the policies by which it was decided, as Cerbos tells it; for the log. Empty while it has told none. */
  policyVersion: string;
  /** Values the activated rules put out. */
  outputs: Attribute[];
}
