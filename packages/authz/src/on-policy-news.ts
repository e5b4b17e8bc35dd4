import type { Authorizer } from './authorizer.ts';

/** Takes what is told of the policies, as the last part of its subject: that others are about to be loaded, or are in force. */
export const onPolicyNews = (authorizer: Pick<Authorizer, 'forget' | 'bePatient'>, subject: string): void => {
  if (subject.endsWith('.PoliciesChanging')) authorizer.bePatient();
  else authorizer.forget();
};
