import { reportFailure } from './src/report-failure.ts';

// Loaded one by one: `npm start` need not wait for what only the checks use.
const commands: Record<string, (args: string[]) => Promise<number>> = {
  start: async (args) => (await import('./src/start.ts')).start(args),
  test: async (args) => (await import('./src/test.ts')).test(args),
  'test:connectors': async (args) => (await import('./src/test.ts')).testConnectors(args),
  'test:faults': async (args) => (await import('./src/test.ts')).testFaults(args),
  'test:operations': async (args) => (await import('./src/test.ts')).testOperations(args),
  'test:deploy': async (args) => (await import('./src/test.ts')).testDeploy(args),
  'test-keycloak': async (args) => (await import('./src/test-keycloak.ts')).testKeycloak(args),
  bench: async (args) => (await import('./src/bench.ts')).bench(args),
  audit: async () => (await import('./src/supply-chain/audit.ts')).audit(),
  check: async (args) => (await import('./src/check.ts')).check(args),
  'dev-ca': async (args) => (await import('./src/dev-ca.ts')).devCa(args),
  generate: async () => (await import('./src/generate.ts')).generate(),
  migrations: async () => (await import('./src/migrations.ts')).migrations(),
  'pre-commit': async () => (await import('./src/pre-commit.ts')).preCommit(),
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command) {
  // Not by itself: connections that are kept alive would hold it for seconds.
  process.exit(await command(args).catch(reportFailure));
} else {
  process.stderr.write(`"${name}" is no command: there are ${Object.keys(commands).join(', ')}.\n`);
  process.exit(2);
}
