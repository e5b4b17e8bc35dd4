import { leadTo, type RequestStatus } from './request-status.ts';

/** What of a request changes when provisioning tells of it. */
export interface Progress {
  status: RequestStatus;
  jobId: string | null;
  grantId: string | null;
  /** Retries heard of less failures heard of. */
  retryBalance: number;
}

/** How far a request has come. What provisioning tells of it may come late or in any order; each step answers whether it led on. */
export class RequestProgress implements Progress {
  status: RequestStatus;
  jobId: string | null;
  grantId: string | null;
  retryBalance: number;

  private readonly before: Progress;

  constructor(before: Progress) {
    this.before = before;
    this.status = before.status;
    this.jobId = before.jobId;
    this.grantId = before.grantId;
    this.retryBalance = before.retryBalance;
  }

  /** Whether anything has been heard that was not known. */
  isChanged(): boolean {
    const { status, jobId, grantId, retryBalance } = this.before;
    return status !== this.status || jobId !== this.jobId || grantId !== this.grantId || retryBalance !== this.retryBalance;
  }

  /** Goes to another state when there is a way. */
  private go(to: RequestStatus): boolean {
    if (!leadTo[to].includes(this.status)) return false;
    this.status = to;
    return true;
  }

  /** A job was queued for it. */
  queue(jobId: string): boolean {
    this.jobId ??= jobId;
    return this.status === 'APPROVED' && this.go('PROVISIONING');
  }

  /** Its job has no attempt left. */
  fail(jobId: string): boolean {
    this.jobId ??= jobId;
    this.retryBalance -= 1;
    return this.retryBalance < 0 && this.go('FAILED');
  }

  /** Its failed job was queued again. */
  retry(jobId: string): boolean {
    this.jobId ??= jobId;
    this.retryBalance += 1;
    return this.retryBalance >= 0 && this.go('PROVISIONING');
  }

  /** Access was given. */
  activate(jobId: string, grantId: string): boolean {
    this.jobId ??= jobId;
    this.grantId ??= grantId;
    return this.go('ACTIVE');
  }

  /** The access that it was to extend is gone: it ends with it, or has nothing to extend any more. One under way is told of by its job. */
  endWith(grantId: string, as: 'EXPIRED' | 'REVOKED'): boolean {
    if (this.status === 'PENDING') return this.go('LAPSED');
    return this.status === 'ACTIVE' && this.end(grantId, as);
  }

  /** Access is gone. */
  end(grantId: string, as: 'EXPIRED' | 'REVOKED'): boolean {
    this.grantId ??= grantId;
    return this.go(as);
  }
}
