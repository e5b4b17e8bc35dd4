import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { MfaFailedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { open } from '../seal.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import { stepOfCode } from './totp.ts';

/** What somebody gives as a second factor; empty texts when nothing. */
export interface SecondFactorCode {
  totp: string;
  recoveryCode: string;
}

/** How a second factor was proved, as the audit log names it; `wrong` has been counted and must be committed. */
export type SecondFactorUse = 'totp' | 'recovery-code' | 'wrong';

interface Row {
  secret: Buffer;
  attempts: number;
  attempts_since: string;
}

const maxAttempts = 5;
const attemptsMs = 5 * 60_000;

/** The context that the seal of a secret is bound to. */
export const sealContext = (accountId: string): string => `totp:${accountId}`;

const useTotp = async ({ em, now }: Ctx, key: Buffer, accountId: string, sealed: Buffer, code: string): Promise<boolean> => {
  const step = stepOfCode(open(key, sealed, sealContext(accountId)), code, now());
  if (step === undefined) return false;
  // A code is good once (RFC 6238, 5.2), and so is every one before it.
  const used = await em.execute('update totp set last_step = ? where account_id = ? and last_step < ? returning 1', [
    step,
    accountId,
    step,
  ]);
  return used.length === 1;
};

const useRecoveryCode = async ({ em, now }: Ctx, key: Buffer, accountId: string, code: string): Promise<boolean> => {
  const used = await em.execute('update recovery_code set used_at = ? where account_id = ? and hash = ? and used_at is null returning 1', [
    now(),
    accountId,
    recoveryCodeHash(key, accountId, code),
  ]);
  return used.length === 1;
};

/**
 * Uses up a code of the account, which may be one that is still to be confirmed; undefined when there is none. At most five wrong
 * codes in five minutes are looked at, however many come at once: the row is locked.
 * Errors: MFA_REQUIRED when no code was given, TOO_MANY_ATTEMPTS.
 */
export const useSecondFactor = async (
  ctx: Ctx,
  key: Buffer,
  { id: accountId, email }: { id: string; email: string },
  { totp, recoveryCode }: SecondFactorCode,
  { confirmed }: { confirmed: boolean } = { confirmed: true },
): Promise<SecondFactorUse | undefined> => {
  const { em } = ctx;
  const now = ctx.now();
  const [row] = await em.execute<Row[]>(
    `select secret, attempts, attempts_since from totp where account_id = ? and (confirmed_at is not null) = ? for update`,
    [accountId, confirmed],
  );
  if (!row) return undefined;
  if (!totp && !recoveryCode) throw new AppError('MFA_REQUIRED');
  const since = new Date(row.attempts_since);
  const countsFrom = now.getTime() - since.getTime() < attemptsMs ? since : now;
  const attempts = countsFrom === since ? row.attempts : 0;
  if (attempts >= maxAttempts) {
    const retryAfter = Math.ceil((since.getTime() + attemptsMs - now.getTime()) / 1000);
    throw new AppError('TOO_MANY_ATTEMPTS', undefined, { members: { retryAfter } });
  }
  const right = totp ? await useTotp(ctx, key, accountId, row.secret, totp) : await useRecoveryCode(ctx, key, accountId, recoveryCode);
  await em.execute('update totp set attempts = ?, attempts_since = ? where account_id = ?', [
    right ? 0 : attempts + 1,
    countsFrom,
    accountId,
  ]);
  if (right) return totp ? 'totp' : 'recovery-code';
  const actor = { id: accountId, type: 'user', email };
  emit({ ...ctx, actor }, MfaFailedSchema, { userId: accountId }, accountId, {
    action: 'MFA_FAILED',
    entityType: 'USER',
    entityId: accountId,
    changes: { attempts: { before: attempts, after: attempts + 1 } },
  });
  return 'wrong';
};
