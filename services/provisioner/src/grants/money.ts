import type { Money as MoneyMessage, MoneySchema } from '@accessops/proto/accessops/common/v1/common_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';

/** An amount of minor units. */
export interface Money {
  amount: number;
  /** ISO 4217. */
  currency: string;
}

/** What is told of a price; null when there is none. */
export const moneyFrom = (told: MoneyMessage | undefined): Money | null =>
  told ? { amount: Number(told.amount), currency: told.currency } : null;

/** A price as contract and events show it; without one it is unset. */
export const moneyToProto = (money: Money | null | undefined): MessageInitShape<typeof MoneySchema> | undefined =>
  money ? { amount: BigInt(money.amount), currency: money.currency } : undefined;
