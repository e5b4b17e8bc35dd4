/** A failure that its message explains to the person at the keyboard: shown as one sentence, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
