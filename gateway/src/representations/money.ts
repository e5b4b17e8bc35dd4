import type { Money } from '@accessops/proto/accessops/common/v1/common_pb';
import { z } from '@hono/zod-openapi';

export const moneySchema = z.object({
  amount: z.int().openapi({ description: 'Minor units.', example: 250 }),
  currency: z.string().openapi({ description: 'ISO 4217.', example: 'EUR' }),
});

/** An amount as the API shows it. */
export const moneyJson = ({ amount, currency }: Money): z.infer<typeof moneySchema> => ({ amount: Number(amount), currency });
