/** The states of a request. EXPIRED, REVOKED, REJECTED, CANCELLED and LAPSED are its ends; FAILED can be retried. */
export const requestStatuses = [
  'PENDING',
  'APPROVED',
  'PROVISIONING',
  'ACTIVE',
  'EXPIRED',
  'REVOKED',
  'REJECTED',
  'CANCELLED',
  'LAPSED',
  'FAILED',
] as const;

export type RequestStatus = (typeof requestStatuses)[number];

const afterApproval: readonly RequestStatus[] = ['APPROVED', 'PROVISIONING', 'FAILED'];

/**
 * Which states lead to which. News of a job and of its grant may overtake each other, so whatever provisioning can end in is
 * reached from every state before it.
 */
export const leadTo: Readonly<Record<RequestStatus, readonly RequestStatus[]>> = {
  PENDING: [],
  APPROVED: ['PENDING'],
  REJECTED: ['PENDING'],
  CANCELLED: ['PENDING'],
  LAPSED: ['PENDING'],
  PROVISIONING: ['APPROVED', 'FAILED'],
  FAILED: ['APPROVED', 'PROVISIONING'],
  ACTIVE: afterApproval,
  EXPIRED: [...afterApproval, 'ACTIVE'],
  REVOKED: [...afterApproval, 'ACTIVE'],
};
