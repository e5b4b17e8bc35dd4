/** What one access at a target is, as far as a connector has to know. */
export interface Access {
  /** Names the access at the target: all calls under one key are about one and the same access. */
  key: string;
  tenantId: string;
  holderId: string;
  resourceKey: string;
  role: string;
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
}

/** What a connector needs in order to find the access again; kept in the clear, so never a secret. */
export type Handle = Record<string, unknown>;

export interface Applied {
  handle: Handle;
  /** What the holder logs in with; handed over once. */
  credential: Record<string, unknown>;
}

/**
 * Hands on one kind of target. Every call is idempotent under `access.key`, ends when `signal` says so, and throws a
 * ConnectorError for what people may read.
 */
export interface Connector {
  /** What `apply` would do, in words; touches nothing. */
  plan(access: Access): Promise<string[]>;
  /** Makes the access; resolves only once it is in force. Applied again, it answers a credential that works instead of the former one. */
  apply(access: Access, signal: AbortSignal): Promise<Applied>;
  /** Asks the target whether the access is there now. */
  verify(access: Access, signal: AbortSignal): Promise<boolean>;
  /** Takes the access away, also when `apply` had never answered; nothing to take away is no error. */
  revoke(access: Access, signal: AbortSignal): Promise<void>;
}

/** A failure whose message people may read. `permanent`: trying again cannot help. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly permanent: boolean;

  constructor(message: string, { permanent = false, cause }: { permanent?: boolean; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.permanent = permanent;
  }
}

/** Connectors by the name that resource types use. */
export type Connectors = ReadonlyMap<string, Connector>;

/** The connector of this name; a ConnectorError when there is none. */
export const connectorNamed = (connectors: Connectors, name: string): Connector => {
  const connector = connectors.get(name);
  if (!connector) throw new ConnectorError(`There is no connector "${name}"`, { permanent: true });
  return connector;
};

/** The fence of an ending: nothing that comes later under this key may make the access again. */
export const finalFence = 2_147_483_647;
