import { devCa } from '../dev/src/dev-ca.ts';

// node dev-ca.js FOLDER [--renew]: what `npm run dev-ca` does, for containers that each mount their own holder's folder
process.exit(await devCa(process.argv.slice(2)));
