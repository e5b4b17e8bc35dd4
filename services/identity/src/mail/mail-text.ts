/** What a mail speaks of. */
export type Occasion =
  | { kind: 'VERIFY_EMAIL' | 'RESET_PASSWORD'; firstName: string }
  | { kind: 'CHANGE_EMAIL'; firstName: string; newAddress: string; isOld: boolean }
  | { kind: 'INVITATION'; tenant: string; inviter: string };

export interface MailText {
  subject: string;
  text: string;
}

interface Wording {
  subject: string;
  greeting: string;
  why: string;
  page: string;
  route: string;
  ifNot: string;
}

const wordingOf = (occasion: Occasion): Wording => {
  switch (occasion.kind) {
    case 'VERIFY_EMAIL':
      return {
        subject: 'Confirm your e-mail address',
        greeting: `Hello ${occasion.firstName},`,
        why: 'please confirm that this is your address:',
        page: 'verify-email',
        route: 'POST /api/v1/auth/verify-email {"token"}',
        ifNot: 'If you have no account with AccessOps, you need not do anything.',
      };
    case 'RESET_PASSWORD':
      return {
        subject: 'Choose a new password',
        greeting: `Hello ${occasion.firstName},`,
        why: 'here you can choose a new password. All your sessions will end:',
        page: 'reset-password',
        route: 'POST /api/v1/auth/password-reset/confirm {"token", "password"}',
        ifNot: 'If you have not asked for this, you need not do anything: your password stays as it is.',
      };
    case 'CHANGE_EMAIL':
      return {
        subject: 'Confirm your new e-mail address',
        greeting: `Hello ${occasion.firstName},`,
        why: occasion.isOld
          ? `your account is to get the address ${occasion.newAddress}. Please agree here; the new address is asked, too:`
          : 'your account is to get this address. Please agree here; the former address is asked, too:',
        page: 'change-email',
        route: 'POST /api/v1/auth/email-change/confirm {"token"}',
        ifNot: 'If you have not asked for this, do not agree: without you nothing changes.',
      };
    case 'INVITATION':
      return {
        subject: 'You are invited to AccessOps',
        greeting: 'Hello,',
        why: `${occasion.inviter} invites you to join ${occasion.tenant}:`,
        page: 'invitation',
        route: 'POST /api/v1/auth/invitations/accept {"token", "password", "firstName", "lastName"}',
        ifNot: 'If you do not want to join, you need not do anything.',
      };
  }
};

/** The words of a mail. The token stands behind `#`: browsers do not send that part to servers, nor to where links lead from there. */
export const mailText = (
  occasion: Occasion,
  { publicUrl, token, expiresAt }: { publicUrl: string; token: string; expiresAt: Date },
): MailText => {
  const { subject, greeting, why, page, route, ifNot } = wordingOf(occasion);
  const until = `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const text = [
    greeting,
    why,
    `${publicUrl.replace(/\/$/, '')}/${page}#token=${token}`,
    `It works once, until ${until}. Programs use ${route}.`,
    ifNot,
  ].join('\n\n');
  return { subject, text: `${text}\n` };
};
