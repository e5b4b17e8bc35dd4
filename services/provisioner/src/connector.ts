import type { ConfigProblem } from '@accessops/connectors';

/** What one access at a target is, as far as a connector has to know. */
export interface Access {
  /** Names the access at the target: all calls under one key are about one and the same access. */
  key: string;
  tenantId: string;
  /** Short name of the tenant; null as long as its creation has not been heard of. */
  tenantSlug: string | null;
  holderId: string;
  /** It is, or was, a grant: the target was the tenant's to use when it was given. */
  given: boolean;
  resourceKey: string;
  role: string;
  /** How long the access lasts: a target that can end it by itself does, should nobody come to take it away. */
  durationMs: number;
  /** What time it is by the clock that decides when grants end; the one of this machine may be wrong. */
  now: Date;
  /** Settings of the resource type, and what the requester filled in. */
  config: Record<string, unknown>;
  parameters: Record<string, unknown>;
  /** Which attempt of its job this is; the first is 1. */
  attempt: number;
  /**
   * Fencing token: a target must refuse a call with a smaller one than it has seen under this key. It comes from a worker
   * that was taken for dead and replaced, and goes on.
   */
  fence: number;
  /** Since when an answer is waited for that the target has promised. */
  waitingSince: Date | null;
  /** That answer, if it has come since the last attempt. */
  answer: Answer | null;
  /** What `plan` wanted to have kept for `apply`; null when nothing was, or nobody has planned. */
  savedPlan: string | null;
}

/** What a target has told later, by itself. */
export interface Answer {
  outcome: 'done' | 'refused' | 'failed';
  credential?: Record<string, unknown>;
  /** For people. */
  message?: string;
}

/** A signed message of a target, as it came. */
export interface Message {
  payload: Uint8Array;
  /** By their names in small letters. */
  headers: Record<string, string>;
}

/** What `apply` would do. */
export interface Plan {
  /** In words, for whoever decides; never a secret. */
  steps: string[];
  /** What `apply` is to be handed so that it does this and nothing else; it is kept sealed. */
  saved?: string;
}

/** What a connector needs in order to find the access again; kept in the clear, so never a secret. */
export type Handle = Record<string, unknown>;

export interface Applied {
  handle: Handle;
  /** What the holder logs in with; handed over once. */
  credential: Record<string, unknown>;
}

/** A configuration that somebody is about to use, and for which roles. */
export interface Trial {
  tenantId: string;
  tenantSlug: string | null;
  config: Record<string, unknown>;
  roles: readonly string[];
}

/** Where access to a resource is given: the configuration says at which target. */
export interface Site {
  tenantId: string;
  tenantSlug: string | null;
  resourceKey: string;
  config: Record<string, unknown>;
  /** Keys of the access that ought to be in force: whoever cannot tell of all may look closely at these only. */
  expected: readonly string[];
}

/** Something at a target by which somebody has access there, or had. */
export interface Found {
  /** The access that it belongs to, by the mark that the connector has left there; null for what others have made. */
  key: string | null;
  /** What it is called there, and what it is, in a word: `role`, `user`, `member`. For people. */
  name: string;
  kind: string;
  /** False: nobody gets in here by it; something of the access is left, or it is for somewhere else. */
  inForce: boolean;
}

/**
 * Hands on one kind of target. Every call is idempotent under `access.key`, ends when `signal` says so, and throws a
 * ConnectorError for what people may read.
 */
export interface Connector {
  /** What `apply` would do; touches nothing. */
  plan(access: Access, signal: AbortSignal): Promise<Plan>;
  /** Makes the access; resolves only once it is in force. Applied again, it answers a credential that works instead of the former one. */
  apply(access: Access, signal: AbortSignal): Promise<Applied>;
  /**
   * Has access that is in force last until `access.durationMs` from now. Answers what the holder needs from the former end on, or null when
   * the credential stays as it is; what they have goes on working meanwhile. Missing where nothing at the target ends by itself.
   */
  extend?(access: Access, signal: AbortSignal): Promise<Record<string, unknown> | null>;
  /** Asks the target whether anything of the access is there now. */
  verify(access: Access, signal: AbortSignal): Promise<boolean>;
  /** Takes the access away, also when `apply` had never answered; nothing to take away is no error. */
  revoke(access: Access, signal: AbortSignal): Promise<void>;
  /** Asks the target whether it could be worked with like this; changes nothing that people would notice. */
  check(trial: Trial, signal: AbortSignal): Promise<ConfigProblem[]>;
  /**
   * Looks at what is there now: all access at the target that carries our mark, whoever had it made, and access to this very site that others
   * have given. Null when the target cannot tell. Changes nothing. Missing where a target never can.
   */
  list?(site: Site, signal: AbortSignal): Promise<Found[] | null>;
  /**
   * Understands what the target tells later of this access; for targets that answer `pending`. Answers for which fence it is meant.
   * Throws WEBHOOK_SIGNATURE_INVALID for whatever is not from the target, or about another access.
   */
  hear?(access: Access, message: Message): Promise<{ fence: number; answer: Answer }>;
  /** Whether making a plan with this configuration asks the target, or takes its time: such plans are made in the background. */
  planTakesTime?(config: Record<string, unknown>): boolean;
  /** How long one call about an access with this configuration may take, where the usual time is too short. */
  deadlineMs?(config: Record<string, unknown>): number;
  /** Lets go of what it holds: connections, mostly. */
  close?(): Promise<void>;
}

/**
 * How a call to a target has ended, when not well:
 * `refused`: the target said no, or nobody would know what to ask for; trying again cannot help;
 * `failed`: nothing has happened at the target, and another attempt may do better;
 * `unknown`: it may have happened; the target is asked before anything else is done;
 * `pending`: the target has taken it on and will tell; it is asked again from time to time, which counts as no attempt.
 */
export type FailureKind = 'refused' | 'failed' | 'unknown' | 'pending';

/** What `extend` throws for access that somebody has taken away at the target. */
export const nothingToExtend = () => new ConnectorError('refused', 'The target does not have the access any more');

/** A failure whose message people may read. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** What is thrown when somebody answers, but not as a target does: whatever was asked may have happened. What was said is not for people. */
export const nonsense = (who: string, cause?: unknown) =>
  new ConnectorError('unknown', `${who} has answered something that makes no sense`, cause);

/** What is known after a failure; whatever a connector does not explain may have happened. */
export const failureKindOf = (error: unknown): FailureKind => (error instanceof ConnectorError ? error.kind : 'unknown');

/** Connectors by the name that resource types use. */
export type Connectors = ReadonlyMap<string, Connector>;

/** The connector of this name; a ConnectorError when there is none. */
export const connectorNamed = (connectors: Connectors, name: string): Connector => {
  const connector = connectors.get(name);
  if (!connector) throw new ConnectorError('refused', `There is no connector "${name}"`);
  return connector;
};

/** How long a call may take for what this is about: what its connector says, or as long as usual. */
export const deadlineOf = (
  connectors: Connectors,
  { connector, config }: { connector: string; config: Record<string, unknown> },
  usualMs: number,
): number => connectors.get(connector)?.deadlineMs?.(config) ?? usualMs;

/** The fence of the end of a grant: nothing that comes later under this key may make the access again. */
export const finalFence = 2_147_483_647;
