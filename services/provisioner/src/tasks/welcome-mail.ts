import type { Neighbours } from './neighbours.ts';
import type { Task } from './task.ts';

/**
 * Welcomes somebody who has joined. Identity knows the address and sends the mail; the job is what makes it go out, be tried again and be
 * seen. Sent twice, when a worker is lost in between, it has one Message-ID.
 */
export const createWelcomeMailTask = ({ identity, optionsFor }: Neighbours): Task => ({
  deadlineMs: 30_000,
  run: async (job, signal) => {
    await identity.sendWelcomeMail({ userId: job.requesterId, mailId: job.id }, await optionsFor(job, signal));
    return async () => {};
  },
});
