import { AppError } from '@accessops/errors';
import { defineEntity, type EntityManager, p } from '@mikro-orm/postgresql';

/** How a caller marks a call that must act only once: the key (with method and path) and a keyed hash of its body. */
export interface IdempotencyKey {
  key: string;
  fingerprint: string;
}

/** The reply of a call that was made under an Idempotency-Key, kept in the transaction that made it. */
export const IdempotentReply = defineEntity({
  name: 'IdempotentReply',
  tableName: 'idempotent_reply',
  properties: {
    tenantId: p.uuid().primary(),
    actorId: p.string().primary(),
    key: p.string().primary(),
    fingerprint: p.string(),
    reply: p.blob(),
    createdAt: p.datetime(),
  },
});

const who = { tenantId: '', actorId: '' };

/**
 * Takes the key for this transaction; answers the kept reply when the call was made before.
 * An advisory lock tells a call that is still running from one that has ended. Errors: IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED.
 */
export const findReply = async (
  em: EntityManager,
  { tenantId, actorId }: typeof who,
  { key, fingerprint }: IdempotencyKey,
): Promise<Buffer | undefined> => {
  const [lock] = await em.execute<{ taken: boolean }[]>('select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as taken', [
    `${tenantId} ${actorId} ${key}`,
  ]);
  if (!lock?.taken) throw new AppError('IDEMPOTENCY_IN_PROGRESS');
  const kept = await em.findOne(IdempotentReply, { tenantId, actorId, key });
  if (!kept) return undefined;
  if (kept.fingerprint !== fingerprint) throw new AppError('IDEMPOTENCY_KEY_REUSED');
  return Buffer.from(kept.reply);
};

/** Keeps the reply, in the same transaction. */
export const keepReply = (
  em: EntityManager,
  { tenantId, actorId }: typeof who,
  { key, fingerprint }: IdempotencyKey,
  reply: Buffer,
  now: Date,
): void => {
  em.persist(em.create(IdempotentReply, { tenantId, actorId, key, fingerprint, reply, createdAt: now }));
};
