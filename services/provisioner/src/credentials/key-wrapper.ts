/** A data key as it lies in the database. */
export interface Wrapped {
  /** The key that it is wrapped under. */
  keyId: string;
  dataKey: Buffer;
}

/**
 * Whoever has the keys that wrap data keys: this process, or a key management service. One that is asked over the network gives up within
 * a few seconds and throws DEPENDENCY_UNAVAILABLE; whatever else it throws is final.
 */
export interface KeyWrapper {
  /** Ids of the keys that only unwrap what was wrapped before. */
  formerKeyIds: readonly string[];
  /** Wraps under the current key, for one `place`: it does not unwrap anywhere else. */
  wrap(dataKey: Buffer, place: string): Promise<Wrapped>;
  /** Throws when it was changed, moved, or its key is not there any more. */
  unwrap(wrapped: Wrapped, place: string): Promise<Buffer>;
}
