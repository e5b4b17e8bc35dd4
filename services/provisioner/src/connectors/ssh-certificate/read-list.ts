import { type Found, nonsense } from '../../connector.ts';

const access = /^access ([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const otherKey = /^key (\S+) (\S+)$/;

/** What `accessops-ssh` at the host says of what is open there. */
export const readList = (said: string): Found[] =>
  said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const key = access.exec(line)?.slice(1).join('-');
      if (key) return { key, name: `accessops_${key.replaceAll('-', '')}`, kind: 'certificate', inForce: true };
      const [, user, fingerprint] = otherKey.exec(line) ?? [];
      if (!user || !fingerprint) throw nonsense('The host');
      return { key: null, name: `${user} ${fingerprint}`, kind: 'authorized key', inForce: true };
    });
