const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// In this order: what one leaves is not taken apart by the next.
const rules: [RegExp, string | ((found: string) => string)][] = [
  // Logins within addresses, and whatever is asked for behind them.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1[removed]@'],
  [/(https?:\/\/[^\s?#]+)[?#]\S*/gi, '$1'],
  // Addresses of people and machines.
  [/[^\s"'<>()[\]/=:,;]+@[^\s"'<>()=:,;]+\.[a-z]{2,}/gi, '[removed]'],
  [/\b\d{1,3}(\.\d{1,3}){3}\b/g, '[removed]'],
  // What stands behind the name of a secret.
  [/\b(bearer|basic)\s+\S+/gi, '$1 [removed]'],
  [/(pass\w*|secret\w*|\w*token\w*|\w*key|credential\w*|authorization|cookie)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\S+)/gi, '$1$2[removed]'],
  // Values: databases quote what was sent, or name it in parentheses.
  [/"[^"]*"/g, '"[removed]"'],
  [/=\([^)]*\)/g, '=([removed])'],
  // Tokens and keys, whatever they are for; ids stay.
  [/[A-Za-z0-9_.+/=-]{24,}/g, (found) => (uuid.test(found) || !/\d/.test(found) ? found : '[removed]')],
];

/** A text without what may be about somebody, or a secret: addresses, quoted values, tokens. Ids and words of our own stay. */
export const scrub = (text: string): string =>
  rules.reduce((left, [pattern, by]) => left.replaceAll(pattern, by as string), text).slice(0, 1000);
